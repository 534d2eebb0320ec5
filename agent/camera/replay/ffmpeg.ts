import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { DeepcodError, ExitCode } from '../../../platform/errors.js';

/** What a video file is, in pixels as they are to be shown: turned upright, pixels square. */
export interface VideoInfo {
  width: number;
  height: number;
  /** Pictures per second, 0 where the file does not say. */
  fps: number;
}

/** ffmpeg reads this file and nothing that the file may point at. */
const inputOf = (path: string): string[] => ['-protocol_whitelist', 'file', '-i', `file:${resolve(path)}`];

/** Neither program is started through a shell: a file's name is one argument, whatever is in it. */
export async function probe(path: string): Promise<VideoInfo> {
  const entries = 'stream=width,height,avg_frame_rate,sample_aspect_ratio:stream_tags=rotate:stream_side_data=rotation';
  const args = ['-v', 'error', ...inputOf(path), '-select_streams', 'v:0', '-show_entries', entries, '-of', 'json'];
  const text = await new Promise<string>((done, fail) => {
    execFile('ffprobe', args, { timeout: 30_000, maxBuffer: 1 << 20 }, (error, stdout, stderr) => {
      if (!error) done(stdout);
      else if (error.code === ('ENOENT' as unknown)) fail(ffmpegMissing('ffprobe'));
      else fail(videoBroken(path, stderr || error.message));
    });
  });
  const stream = (JSON.parse(text) as { streams?: ProbedStream[] }).streams?.[0];
  if (!stream?.width || !stream.height) throw videoBroken(path, 'it has no pictures in it');
  const aspect = ratio(stream.sample_aspect_ratio, ':') || 1;
  const shown = { width: Math.max(1, Math.round(stream.width * aspect)), height: stream.height };
  const turn = Number(
    stream.side_data_list?.find((data) => data.rotation !== undefined)?.rotation ?? stream.tags?.rotate ?? 0,
  );
  const sideways = Math.abs(turn) % 180 === 90;
  return {
    width: sideways ? shown.height : shown.width,
    height: sideways ? shown.width : shown.height,
    fps: ratio(stream.avg_frame_rate, '/'),
  };
}

interface ProbedStream {
  width?: number;
  height?: number;
  avg_frame_rate?: string;
  sample_aspect_ratio?: string;
  tags?: { rotate?: string };
  side_data_list?: { rotation?: number }[];
}

function ratio(text: string | undefined, separator: string): number {
  const [a, b] = (text ?? '').split(separator).map(Number);
  return a && b && Number.isFinite(a / b) ? a / b : 0;
}

/**
 * One run of ffmpeg through a video, giving raw RGB frames. Reads only as fast as frames are taken: the pipe fills and
 * ffmpeg waits.
 */
export class Decoder {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #path: string;
  readonly #frameBytes: number;
  readonly #exit: Promise<number | null>;
  #frame: Uint8Array;
  #filled = 0;
  #errors = '';
  #failure: DeepcodError | null = null;
  #ended = false;
  #closed = false;
  #wake: () => void = () => {};
  /** Whole frames given so far. */
  frames = 0;

  /** @param fps pictures per second to resample to; 0 gives every picture of the file */
  constructor(path: string, size: { width: number; height: number }, fps: number) {
    this.#path = path;
    this.#frameBytes = size.width * size.height * 3;
    this.#frame = new Uint8Array(this.#frameBytes);
    // bilinear: swscale widens it with the reduction, as sharp's linear kernel for images
    const scale = `scale=${size.width}:${size.height}:flags=bilinear,setsar=1`;
    this.#child = spawn(
      'ffmpeg',
      [
        ...['-hide_banner', '-nostdin', '-loglevel', 'error', ...inputOf(path), '-map', '0:v:0'],
        ...['-vf', fps > 0 ? `fps=${fps},${scale}` : scale, ...(fps > 0 ? [] : ['-fps_mode', 'passthrough'])],
        ...['-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#exit = new Promise((done) => {
      this.#child.once('error', (error: NodeJS.ErrnoException) => {
        this.#failure = error.code === 'ENOENT' ? ffmpegMissing('ffmpeg') : videoBroken(path, error.message);
        this.#ended = true;
        this.#wake();
        done(null);
      });
      this.#child.once('close', (code) => done(code));
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (this.#errors.length < 4096) this.#errors += text;
    });
    this.#child.stdout.on('readable', () => this.#wake());
    this.#child.stdout.once('end', () => {
      this.#ended = true;
      this.#wake();
    });
    this.#child.stdout.once('error', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** What ffmpeg complained about, at most 4 KiB. */
  get errors(): string {
    return this.#errors.trim();
  }

  /**
   * The next frame, or null at the end. An aborted call loses nothing: the next one goes on where it stopped.
   * @throws DeepcodError when ffmpeg is absent or gives up; the signal's reason when aborted
   */
  async frame(signal: AbortSignal): Promise<Uint8Array | null> {
    for (;;) {
      signal.throwIfAborted();
      while (this.#filled < this.#frameBytes) {
        const missing = this.#frameBytes - this.#filled;
        const chunk = this.#take(missing);
        if (!chunk) break;
        this.#frame.set(chunk, this.#filled);
        this.#filled += chunk.length;
      }
      if (this.#filled === this.#frameBytes) {
        const whole = this.#frame;
        this.#frame = new Uint8Array(this.#frameBytes);
        this.#filled = 0;
        this.frames++;
        return whole;
      }
      if (this.#ended) {
        const code = await this.#exit;
        if (this.#closed) return null;
        if (this.#failure) throw this.#failure;
        if (code !== 0) throw videoBroken(this.#path, this.errors || `ffmpeg ended with code ${code}`);
        return null;
      }
      await this.#more(signal);
    }
  }

  #take(most: number): Buffer | null {
    const { stdout } = this.#child;
    const ready = Math.min(stdout.readableLength, most);
    return ready > 0 ? (stdout.read(ready) as Buffer | null) : (stdout.read(0) as null);
  }

  async #more(signal: AbortSignal): Promise<void> {
    const wake = (): void => this.#wake();
    signal.addEventListener('abort', wake);
    await new Promise<void>((done) => {
      this.#wake = done;
      if (this.#child.stdout.readableLength > 0 || this.#ended) done();
    });
    signal.removeEventListener('abort', wake);
  }

  /** Ends ffmpeg if it still runs, and waits until the system has taken it back. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGKILL');
    }
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
    this.#ended = true;
    this.#wake();
    await this.#exit;
  }
}

function ffmpegMissing(program: string): DeepcodError {
  return new DeepcodError(
    'camera_ffmpeg_missing',
    `a video needs ffmpeg, and ${program} was not found`,
    'install it (sudo apt install ffmpeg), or give a folder of images',
    ExitCode.camera,
  );
}

export function videoBroken(path: string, why: string): DeepcodError {
  const lines = why.trim().split('\n');
  return new DeepcodError(
    'camera_video_broken',
    `${path} cannot be played as a video: ${(lines.at(-1) ?? why).slice(0, 300)}`,
    'check the file with ffprobe; give another file, or a folder of images',
    ExitCode.camera,
  );
}
