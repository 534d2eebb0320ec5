import { type Ending, lastWords, Trouble } from '../live/trouble.js';
import type { Address } from './address.js';

const REACH = 'check that the camera is on and in this network (ping it), and camera.url';

/** What ffmpeg's or ffprobe's words about a stream mean; never with the password. */
export function rtspTrouble(address: Address, ending: Ending, program = 'ffmpeg'): Trouble {
  const { shown } = address;
  const host = new URL(shown).host;
  const errors = ending.errors.replaceAll(address.secret, shown);
  if (/401|Unauthorized|authorization failed/i.test(errors)) {
    return new Trouble(
      'failed',
      `${host} refuses the user or the password: check camera.username and camera.password_file`,
    );
  }
  if (/403 Forbidden/i.test(errors))
    return new Trouble('failed', `${host} forbids this user the stream: check its rights at the camera`);
  if (/404|Stream Not Found/i.test(errors)) {
    return new Trouble(
      'failed',
      `${host} has no stream ${new URL(shown).pathname}: check the path of camera.url in the camera’s manual`,
    );
  }
  if (/453|503|Service Unavailable/i.test(errors)) {
    return new Trouble('busy', `${host} serves no more viewers: close other programs that show this camera`);
  }
  if (/Connection refused/i.test(errors))
    return new Trouble(
      'gone',
      `nothing answers at ${host}: RTSP is switched off at the camera, or its port is another`,
    );
  if (/Failed to resolve|Name or service not known|Temporary failure in name/i.test(errors)) {
    return new Trouble('gone', `no address is known for ${host}: check camera.url, or use the camera’s IP address`);
  }
  if (/timed out|No route to host|unreachable|Connection reset|Broken pipe|End of file/i.test(errors))
    return unreachable(address);
  return new Trouble('failed', lastWords(program, { ...ending, errors }));
}

export function unreachable({ shown }: Address): Trouble {
  return new Trouble('gone', `${new URL(shown).host} cannot be reached: ${REACH}`);
}

export function silent({ shown }: Address): Trouble {
  return new Trouble('stalled', `${new URL(shown).host} sends no pictures: ${REACH}`);
}
