import { DeepcodError, ExitCode } from '../../platform/errors.js';
import type { CameraOptions, Fit, OpenCamera } from './camera.js';
import { LiveCamera } from './live/live.js';
import { outputOf } from './live/output.js';
import { needProgram } from './live/program.js';
import type { LiveSource, Start } from './live/source.js';
import { type Ending, lastWords, Trouble } from './live/trouble.js';
import { layouts, rpicamArguments } from './rpicam/arguments.js';
import { cameraName, type ListedCamera, parseCameras, type SensorMode } from './rpicam/list.js';
import { chooseMode, namedMode } from './rpicam/mode.js';
import { absent, busy, isHeld, missing, rpicamTrouble, silent } from './rpicam/trouble.js';
import { yuvBytes } from './yuv.js';

const INSTALL = 'install it (sudo apt install rpicam-apps-lite); Raspberry Pi OS has it from bookworm on';
const LIST_MS = 10_000;
/** The first picture of a camera takes about a second; more with a slow card, and while others start too. */
const PATIENCE_MS = 10_000;
/** Pictures per second: of a camera that gives them as fast as they are taken, and at least (else a stall is seen too late). */
const USUAL_FPS = 30;
const LEAST_FPS = 2;

/**
 * A camera at a CSI port, through rpicam-vid: pictures as YUV at the size that is wanted, made by the camera's own scaler.
 * @throws DeepcodError `camera_program_missing`, `camera_size`, `camera_forbidden`: what no waiting cures
 */
export const openRpicam: OpenCamera = async (options, fit) => {
  const source = new RpicamSource(options, fit);
  await source.check();
  return new LiveCamera(source, options);
};

/** The cameras at the CSI ports. @throws DeepcodError `camera_program_missing`; Trouble when they cannot be listed */
export async function listRpicam(signal?: AbortSignal): Promise<ListedCamera[]> {
  const hello = needProgram('rpicam-hello', INSTALL);
  const ending = await outputOf(hello, ['--list-cameras'], { timeoutMs: LIST_MS, signal });
  const cameras = parseCameras(ending.output);
  // Some versions say on standard error that there is none, and end with an error then.
  if (cameras.length === 0 && ending.code !== 0 && !/no cameras available/i.test(ending.output + ending.errors)) {
    throw ending.code === null && ending.signal !== null
      ? new Trouble('stalled', `rpicam-hello --list-cameras gave no answer in ${LIST_MS / 1000} s: restart the device`)
      : new Trouble('failed', lastWords('rpicam-hello', ending));
  }
  return cameras;
}

class RpicamSource implements LiveSource {
  readonly #options: CameraOptions;
  readonly #fit: Fit;
  readonly #index: number;
  readonly #fps: number;
  #camera: ListedCamera | undefined;

  constructor(options: CameraOptions, fit: Fit) {
    this.#options = options;
    this.#fit = fit;
    this.#index = options.index ?? 0;
    this.#fps = options.fps ? Math.max(LEAST_FPS, options.fps) : USUAL_FPS;
  }

  get description(): string {
    return `camera ${this.#index} (rpicam)`;
  }

  async check(): Promise<void> {
    needProgram('rpicam-vid', INSTALL);
    try {
      await this.#find();
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      if (error.state === 'failed' && /may not open/.test(error.message)) {
        throw new DeepcodError('camera_forbidden', error.message, undefined, ExitCode.camera);
      }
    }
  }

  async prepare(signal: AbortSignal): Promise<Start> {
    const camera = this.#camera ?? (await this.#find(signal));
    // a camera in use does not tell what its modes show: without that the view might be cut
    const isShy = camera.modes.length > 0 && !camera.modes.some(({ crop }) => crop);
    if (isShy && isHeld()) throw busy(this.#index);
    const mode = this.#mode(camera);
    const source = mode ?? { width: camera.width || 1920, height: camera.height || 1080 };
    const { width, height } = this.#fit(source.width, source.height);
    // YUV needs even sizes: the last row or column of an odd one is left out again
    const taken = { width: width + (width & 1), height: height + (height & 1) };
    const planes = layouts(taken);
    const shown = mode ? `${mode.width}x${mode.height}` : 'unknown mode';
    return {
      description: `${cameraName(camera.model)}, camera ${this.#index}, ${shown} at ${this.#fps} pictures per second, scaled to ${width}x${height}`,
      program: needProgram('rpicam-vid', INSTALL),
      args: rpicamArguments(this.#options, mode, taken, this.#fps),
      sizes: planes.map(yuvBytes),
      pauseMs: Math.min(200, Math.max(8, 400 / this.#fps)),
      patienceMs: PATIENCE_MS,
      picture: (data) => ({
        data,
        yuv: planes.find((plane) => yuvBytes(plane) === data.length),
        ...{ width, height, sourceWidth: source.width, sourceHeight: source.height },
      }),
    };
  }

  async ended(ending: Ending): Promise<Trouble> {
    return rpicamTrouble(this.#index, ending);
  }

  async silent(): Promise<Trouble> {
    return silent(this.#index);
  }

  announced(errors: string): Trouble | undefined {
    return /frontend has timed out/.test(errors) ? silent(this.#index) : undefined;
  }

  /** Looks for the camera; one that told its modes is not asked again. */
  async #find(signal?: AbortSignal): Promise<ListedCamera> {
    const cameras = await listRpicam(signal);
    if (cameras.length === 0) throw absent();
    const camera = cameras.find(({ index }) => index === this.#index);
    if (!camera) throw missing(this.#index);
    if (camera.modes.some(({ crop }) => crop)) {
      this.#camera = camera;
      this.#mode(camera);
    }
    return camera;
  }

  #mode(camera: ListedCamera): SensorMode | undefined {
    const { size } = this.#options;
    if (size === undefined) return chooseMode(camera, ({ width, height }) => this.#fit(width, height), this.#fps);
    const [width, height] = size.split('x').map(Number);
    const mode = namedMode(camera, width, height, this.#fps);
    if (mode || camera.modes.length === 0) return mode;
    const sizes = new Set(camera.modes.map((each) => `${each.width}x${each.height}`));
    throw new DeepcodError(
      'camera_size',
      `camera.size: ${cameraName(camera.model)} has no mode ${size}`,
      `It has ${[...sizes].join(', ')}.`,
      ExitCode.camera,
    );
  }
}
