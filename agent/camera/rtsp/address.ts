import { readSecret } from '../../../platform/config.js';
import { DeepcodError, ExitCode } from '../../../platform/errors.js';
import type { CameraOptions } from '../camera.js';

/** Where a stream is: `shown` for people, `secret` with user and password for ffmpeg alone. */
export interface Address {
  shown: string;
  secret: string;
}

/** @throws DeepcodError `camera_url`, `secret_unreadable`, exit code usage */
export function streamAddress({ url, username, password_file }: CameraOptions): Address {
  const wrong = (what: string, hint: string) => new DeepcodError('camera_url', what, hint, ExitCode.usage);
  if (!url)
    throw wrong('the rtsp camera has no address', 'set camera.url to rtsp://HOST/PATH, as the camera’s manual says');
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw wrong(`camera.url: "${url}" is no address`, 'It looks like rtsp://HOST[:PORT]/PATH.');
  }
  if (parsed.protocol !== 'rtsp:' && parsed.protocol !== 'rtsps:') {
    throw wrong(`camera.url: ${parsed.protocol}// is not known here`, 'rtsp:// and rtsps:// are.');
  }
  // what the list that ffmpeg is given (input.ts) would take for its end, or for another line
  if (/['\\\s]/.test(url))
    throw wrong('camera.url: no quotes, backslashes and spaces', 'Write them as %27, %5C and %20.');
  if (parsed.password) {
    throw wrong('camera.url holds a password', 'Put it into a file and name the file in camera.password_file.');
  }
  const shown = parsed.href;
  if (username) parsed.username = encodeURIComponent(username);
  if (password_file) {
    if (!parsed.username) throw wrong('camera.password_file without camera.username', 'Say whose password it is.');
    const password = readSecret(password_file, "the camera's password (camera.password_file)");
    parsed.password = encodeURIComponent(password).replaceAll("'", '%27');
  }
  return { shown, secret: parsed.href };
}
