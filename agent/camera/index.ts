import { DeepcodError, ExitCode } from '../../platform/errors.js';
import { didYouMean } from '../../platform/suggest.js';
import type { Camera, CameraOptions, Fit, OpenCamera } from './camera.js';
import { openReplay } from './replay.js';
import { openRpicam } from './rpicam.js';
import { openRtsp } from './rtsp.js';
import { openSimulated } from './simulated.js';
import { openV4l2 } from './v4l2.js';

export type { Camera, CameraOptions, Fit, OpenCamera, Picture } from './camera.js';

/** Every camera there is: a new one is a file and a line here. */
export const cameras: Readonly<Record<string, OpenCamera>> = {
  rpicam: openRpicam,
  v4l2: openV4l2,
  rtsp: openRtsp,
  simulated: openSimulated,
  replay: openReplay,
};

/** Sources whose pictures come as planes of YUV; those of the others are RGB. */
const ofPlanes: ReadonlySet<string> = new Set(['rpicam']);

/** How the pictures of a source come. */
export function coloursOf(source: string): 'rgb' | 'yuv' {
  return ofPlanes.has(source) ? 'yuv' : 'rgb';
}

/**
 * Opens the camera that `options.source` names.
 * @param fit tells, for the size of a source's pictures, the size in which they are wanted
 * @throws DeepcodError `camera_*`, exit code camera (or usage, where the options make no sense)
 */
export async function openCamera(options: CameraOptions, fit: Fit): Promise<Camera> {
  const open = Object.hasOwn(cameras, options.source) ? cameras[options.source] : undefined;
  if (!open) {
    throw new DeepcodError(
      'camera_unknown',
      `there is no camera "${options.source}"`,
      didYouMean(options.source, Object.keys(cameras)),
      ExitCode.usage,
    );
  }
  return open(options, fit);
}
