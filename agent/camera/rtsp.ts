import type { CameraOptions, Fit, OpenCamera } from './camera.js';
import { QUIET, rgbOutput, rgbPictures } from './ffmpeg/filter.js';
import { LiveCamera } from './live/live.js';
import { outputOf } from './live/output.js';
import { needProgram } from './live/program.js';
import type { LiveSource, Start } from './live/source.js';
import { type Ending, Trouble } from './live/trouble.js';
import { type Address, streamAddress } from './rtsp/address.js';
import { STREAM, streamList } from './rtsp/input.js';
import { rtspTrouble, silent, unreachable } from './rtsp/trouble.js';

const INSTALL = 'a network camera needs it: sudo apt install ffmpeg';
/** Asking what the stream is, and then the first picture: both wait for the next whole one, some seconds with some cameras. */
const PROBE_MS = 10_000;
const PATIENCE_MS = 10_000;

/**
 * A network camera, through ffmpeg.
 * @throws DeepcodError `camera_program_missing`, `camera_url`, `secret_unreadable`: what no waiting cures
 */
export const openRtsp: OpenCamera = async (options, fit) => {
  needProgram('ffmpeg', INSTALL);
  needProgram('ffprobe', INSTALL);
  return new LiveCamera(new RtspSource(options, fit, streamAddress(options)), options);
};

class RtspSource implements LiveSource {
  readonly description: string;

  constructor(
    readonly options: CameraOptions,
    readonly fit: Fit,
    readonly address: Address,
  ) {
    this.description = `network camera ${address.shown}`;
  }

  async prepare(signal: AbortSignal): Promise<Start> {
    const source = await this.#probe(signal);
    const size = this.fit(source.width, source.height);
    return {
      description: `${this.description}, ${source.width}x${source.height}, scaled to ${size.width}x${size.height}`,
      program: needProgram('ffmpeg', INSTALL),
      // without its threads for several frames, which hold each of them back
      args: [...QUIET, '-fflags', 'nobuffer', '-flags', 'low_delay', ...STREAM, ...rgbOutput(this.options, size)],
      input: streamList(this.address.secret),
      ...rgbPictures(source, this.fit),
      patienceMs: PATIENCE_MS,
    };
  }

  async ended(ending: Ending): Promise<Trouble> {
    // a camera that is switched off closes the connection: no error to ffmpeg
    return ending.code === 0 ? silent(this.address) : rtspTrouble(this.address, ending);
  }

  async silent(): Promise<Trouble> {
    return silent(this.address);
  }

  /** The stream's size as it is to be shown, pixels square. */
  async #probe(signal: AbortSignal): Promise<{ width: number; height: number }> {
    const entries = [
      '-select_streams',
      'v:0',
      '-show_entries',
      'stream=width,height,sample_aspect_ratio',
      '-of',
      'json',
    ];
    const ffprobe = needProgram('ffprobe', INSTALL);
    const input = streamList(this.address.secret);
    const ending = await outputOf(ffprobe, ['-v', 'error', ...STREAM, ...entries], {
      timeoutMs: PROBE_MS,
      signal,
      input,
    });
    if (ending.signal !== null) throw unreachable(this.address);
    if (ending.code !== 0) throw rtspTrouble(this.address, ending, 'ffprobe');
    const [stream] = (JSON.parse(ending.output) as { streams?: ProbedStream[] }).streams ?? [];
    if (!stream?.width || !stream.height) {
      throw new Trouble('failed', `${this.address.shown} holds no pictures: check the path of camera.url`);
    }
    const [across, down] = (stream.sample_aspect_ratio ?? '').split(':').map(Number);
    const aspect = across > 0 && down > 0 ? across / down : 1;
    return { width: Math.max(1, Math.round(stream.width * aspect)), height: stream.height };
  }
}

interface ProbedStream {
  width?: number;
  height?: number;
  sample_aspect_ratio?: string;
}
