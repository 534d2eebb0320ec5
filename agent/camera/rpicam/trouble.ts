import { readdirSync } from 'node:fs';
import { isForbidden, JOIN_VIDEO } from '../live/access.js';
import { lockHolder } from '../live/holder.js';
import { type Ending, lastWords, Trouble } from '../live/trouble.js';

const RIBBON = 'check both ends of its ribbon cable (contacts to the right side, latch closed), then the cable itself';

/** What rpicam-vid's words mean. @param index which camera was asked for */
export function rpicamTrouble(index: number, ending: Ending): Trouble {
  const { errors } = ending;
  if (/in use by another process|failed to acquire camera|Device or resource busy/i.test(errors)) return busy(index);
  if (/no cameras available/i.test(errors)) return absent();
  if (/selected camera is not available/i.test(errors)) return missing(index);
  if (/frontend has timed out|Device timeout detected/i.test(errors)) return silent(index);
  if (/legacy camera stack/i.test(errors)) {
    return new Trouble(
      'failed',
      'the old camera software is switched on: remove start_x=1 and gpu_mem from /boot/firmware/config.txt, set camera_auto_detect=1, and restart the device',
    );
  }
  if (/only supports the Raspberry Pi platforms/i.test(errors)) {
    return new Trouble('failed', 'rpicam-vid runs on a Raspberry Pi only: use source v4l2 or rtsp here');
  }
  if (/dmaHeap allocation|failed to allocate capture buffers|Cannot allocate memory/i.test(errors)) {
    return new Trouble(
      'failed',
      'no memory is left for the camera (CMA): close what else uses the camera or the graphics, or set cma=256M with dtoverlay=vc4-kms-v3d,cma-256 in /boot/firmware/config.txt',
    );
  }
  return new Trouble('failed', lastWords('rpicam-vid', ending));
}

/** No camera is listed at all: because there is none, or because this process may not look. */
export function absent(folder = '/dev'): Trouble {
  const forbidden = mediaDevices(folder).find(isForbidden);
  if (forbidden) return new Trouble('failed', `this process may not open ${forbidden}: ${JOIN_VIDEO}`);
  return new Trouble(
    'gone',
    `no camera is found at a CSI port: switch the device off and ${RIBBON}; a camera that is not Raspberry Pi's own needs its dtoverlay in /boot/firmware/config.txt`,
  );
}

export function missing(index: number): Trouble {
  return new Trouble(
    'gone',
    `there is no camera ${index}: deepcod camera list shows which there are (camera.index); else ${RIBBON}`,
  );
}

/** Whether some other process has a camera in use. */
export function isHeld(): boolean {
  return lockHolder(mediaDevices('/dev')) !== undefined;
}

export function busy(index: number): Trouble {
  const holder = lockHolder(mediaDevices('/dev'));
  return new Trouble(
    'busy',
    `camera ${index} is in use by ${holder ?? 'another program'}: stop that, a camera serves one program`,
  );
}

export function silent(index: number): Trouble {
  return new Trouble('stalled', `camera ${index} is there and sends no pictures: ${RIBBON}; then the power supply`);
}

function mediaDevices(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^media\d+$/.test(name))
      .map((name) => `${folder}/${name}`);
  } catch {
    return [];
  }
}
