import type { Log } from '../../platform/log.js';
import type { CameraHealth } from '../../protocol/health.js';
import type { Camera, CameraOptions, Fit, OpenCamera } from './camera.js';

/** Opens a camera whose changes of state go into the log. @param news told of each @throws DeepcodError `camera_*` */
export function openWatched(
  open: OpenCamera,
  options: CameraOptions,
  fit: Fit,
  log: Log,
  news: () => void,
): Promise<Camera> {
  const warn = (message: string) => log.warn(message);
  const changed = ({ state, description, message }: CameraHealth) => {
    if (state === 'running') log.info('running', { camera: description });
    else log.warn(message ?? state, { state, camera: description });
    news();
  };
  return open({ ...options, warn, changed }, fit);
}

/** What a camera that is watched over says is wrong, and works on. */
export function cameraTrouble(camera: Camera | undefined): string | undefined {
  const { state = 'running', message = state } = camera?.health ?? {};
  return state === 'running' ? undefined : message;
}
