import { existsSync, realpathSync } from 'node:fs';
import { JOIN_VIDEO } from '../live/access.js';
import { fileHolder } from '../live/holder.js';
import { type Ending, lastWords, Trouble } from '../live/trouble.js';

/** What ffmpeg's words about a video device mean. */
export function v4l2Trouble(device: string, ending: Ending): Trouble {
  const { errors } = ending;
  if (/Device or resource busy/i.test(errors)) return busy(device);
  if (/Permission denied|Operation not permitted/i.test(errors)) return forbidden(device);
  if (/Not a video capture device|Inappropriate ioctl/i.test(errors)) {
    return new Trouble('failed', `${device} is no camera: deepcod camera list shows those there are (camera.device)`);
  }
  if (/No such (file or directory|device)/i.test(errors) || !existsSync(device)) return gone(device);
  return new Trouble('failed', lastWords('ffmpeg', ending));
}

export function gone(device: string): Trouble {
  return new Trouble(
    'gone',
    `${device} is not there: plug the camera in; deepcod camera list shows which there are (camera.device)`,
  );
}

export function forbidden(device: string): Trouble {
  return new Trouble('failed', `this process may not open ${device}: ${JOIN_VIDEO}`);
}

export function silent(device: string): Trouble {
  return new Trouble(
    'stalled',
    `${device} is there and sends no pictures: plug it in again, without a hub or at another port`,
  );
}

function busy(device: string): Trouble {
  let path = device;
  try {
    path = realpathSync(device);
  } catch {}
  const holder = fileHolder(path) ?? 'another program';
  return new Trouble('busy', `${device} is in use by ${holder}: stop that, a camera serves one program`);
}
