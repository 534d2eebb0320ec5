import { existsSync } from 'node:fs';
import { DeepcodError, ExitCode } from '../../platform/errors.js';
import type { CameraOptions, Fit, OpenCamera } from './camera.js';
import { QUIET, rgbOutput, rgbPictures } from './ffmpeg/filter.js';
import { isForbidden } from './live/access.js';
import { LiveCamera } from './live/live.js';
import { outputOf } from './live/output.js';
import { needProgram } from './live/program.js';
import type { LiveSource, Start } from './live/source.js';
import type { Ending, Trouble } from './live/trouble.js';
import { type Capture, chooseCapture, parseFormats, type VideoFormat } from './v4l2/formats.js';
import { forbidden, gone, silent, v4l2Trouble } from './v4l2/trouble.js';

const INSTALL = 'a USB camera needs it: sudo apt install ffmpeg';
const LIST_MS = 10_000;
const PATIENCE_MS = 10_000;
const USUAL_FPS = 30;
const LEAST_FPS = 5;

/**
 * A USB camera, through ffmpeg.
 * @throws DeepcodError `camera_program_missing`, `camera_forbidden`, `camera_size`: what no waiting cures
 */
export const openV4l2: OpenCamera = async (options, fit) => {
  const source = new V4l2Source(options, fit);
  await source.check();
  return new LiveCamera(source, options);
};

/** How a device gives pictures. @throws DeepcodError `camera_program_missing`; Trouble when it cannot be asked */
export async function listFormats(device: string, signal?: AbortSignal): Promise<VideoFormat[]> {
  const ffmpeg = needProgram('ffmpeg', INSTALL);
  const args = ['-hide_banner', '-nostdin', '-loglevel', 'info', '-f', 'v4l2', '-list_formats', 'all', '-i', device];
  // it always ends with an error: no picture is asked for
  const ending = await outputOf(ffmpeg, args, { timeoutMs: LIST_MS, signal });
  const formats = parseFormats(ending.errors);
  if (formats.length === 0) throw v4l2Trouble(device, ending);
  return formats;
}

class V4l2Source implements LiveSource {
  readonly #options: CameraOptions;
  readonly #fit: Fit;
  readonly #device: string;
  readonly #fps: number;
  readonly description: string;

  constructor(options: CameraOptions, fit: Fit) {
    this.#options = options;
    this.#fit = fit;
    this.#device = options.device ?? '/dev/video0';
    this.#fps = options.fps ? Math.max(LEAST_FPS, options.fps) : USUAL_FPS;
    this.description = `USB camera ${this.#device}`;
  }

  async check(): Promise<void> {
    needProgram('ffmpeg', INSTALL);
    if (isForbidden(this.#device)) {
      throw new DeepcodError('camera_forbidden', forbidden(this.#device).message, undefined, ExitCode.camera);
    }
    if (this.#options.size === undefined || !existsSync(this.#device)) return;
    const formats = await listFormats(this.#device).catch(() => []);
    if (formats.length > 0) this.#capture(formats);
  }

  async prepare(signal: AbortSignal): Promise<Start> {
    if (!existsSync(this.#device)) throw gone(this.#device);
    const { format, width, height } = this.#capture(await listFormats(this.#device, signal));
    const size = this.#fit(width, height);
    return {
      description: `USB camera ${this.#device}, ${width}x${height} ${format}, scaled to ${size.width}x${size.height}`,
      program: needProgram('ffmpeg', INSTALL),
      args: [
        ...QUIET,
        ...['-fflags', 'nobuffer', '-f', 'v4l2', '-input_format', format, '-video_size', `${width}x${height}`],
        ...['-framerate', String(this.#fps), '-i', this.#device],
        ...rgbOutput(this.#options, size),
      ],
      ...rgbPictures({ width, height }, this.#fit),
      patienceMs: PATIENCE_MS,
    };
  }

  async ended(ending: Ending): Promise<Trouble> {
    return v4l2Trouble(this.#device, ending);
  }

  async silent(): Promise<Trouble> {
    return existsSync(this.#device) ? silent(this.#device) : gone(this.#device);
  }

  #capture(formats: readonly VideoFormat[]): Capture {
    const { size } = this.#options;
    const capture = chooseCapture(formats, (width, height) => this.#fit(width, height), this.#fps, size);
    if (capture) return capture;
    const sizes = new Set(formats.flatMap((format) => format.sizes.map(({ width, height }) => `${width}x${height}`)));
    throw new DeepcodError(
      'camera_size',
      size ? `camera.size: ${this.#device} has no size ${size}` : `${this.#device} has no format that ffmpeg can read`,
      `It has ${[...sizes].join(', ')} as ${formats.map(({ format }) => format).join(', ')}.`,
      ExitCode.camera,
    );
  }
}
