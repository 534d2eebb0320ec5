import type { Camera, OpenCamera, Picture } from '../../../agent/camera/camera.js';
import { DeepcodError, ExitCode } from '../../../platform/errors.js';
import type { CameraHealth } from '../../../protocol/health.js';
import type { CapturePlan } from './capture.js';

/** @returns `none`: no picture within so many ms; null: the input has ended */
export async function nextWithin(
  ms: number,
  camera: Pick<FreeCamera, 'next'>,
  signal: AbortSignal,
): Promise<Picture | null | 'none'> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), ms);
  try {
    return await camera.next(AbortSignal.any([signal, late.signal]));
  } catch (error) {
    if (late.signal.aborted && error === late.signal.reason) return 'none';
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** A camera that nobody else holds. */
export interface FreeCamera extends Pick<Camera, 'description' | 'next' | 'close'> {
  /** What is wrong with it now, as far as it says. */
  readonly trouble: string | undefined;
}

/** @throws DeepcodError of the camera, with what to do where the agent holds it */
export async function openFreeCamera(
  { camera, side }: Pick<CapturePlan, 'camera' | 'side'>,
  { openCamera, say }: { openCamera: OpenCamera; say: (line: string) => void },
  signal: AbortSignal,
): Promise<FreeCamera> {
  const stop = new AbortController();
  let held: string | undefined;
  let trouble: string | undefined;
  /** Live sources go on trying and tell why they wait. */
  const changed = ({ state, message = state }: CameraHealth) => {
    trouble = state === 'running' ? undefined : message;
    if (state === 'busy') {
      held = message;
      stop.abort();
    } else if (trouble !== undefined) say(trouble);
  };
  const fit = (width: number, height: number) => {
    const scale = Math.min(1, side / Math.max(width, height));
    return { width: Math.round(width * scale), height: Math.round(height * scale) };
  };
  try {
    const opened = await openCamera({ ...camera, changed }, fit);
    return {
      get description() {
        return opened.description;
      },
      get trouble() {
        return trouble;
      },
      async next(until: AbortSignal) {
        try {
          return await opened.next(AbortSignal.any([until, stop.signal]));
        } catch (error) {
          if (held !== undefined && !signal.aborted) throw busy(held);
          throw error;
        }
      },
      close: () => opened.close(),
    };
  } catch (error) {
    if (error instanceof DeepcodError && error.code === 'camera_busy') throw busy(error.message);
    throw error;
  }
}

const busy = (message: string) =>
  new DeepcodError(
    'camera_busy',
    message,
    'If the agent holds it: `sudo systemctl stop deepcod-agent`, and start it again afterwards.',
    ExitCode.camera,
  );
