import { CameraChild } from './child.js';
import { FrameReader, type RawFrame } from './reader.js';
import type { LiveSource, Start } from './source.js';
import type { Trouble } from './trouble.js';

/** A camera that gave nothing for so long is stalled, ms: said within two seconds. */
export const STALLED_MS = 1500;
const CHECK_MS = 100;

/** One run of a camera's program: frames, until something is wrong with it. */
export class LiveRun {
  readonly #child: CameraChild;
  readonly #reader: FrameReader;
  readonly #start: Start;
  readonly #watch: NodeJS.Timeout;
  #pause: NodeJS.Timeout | undefined;
  #deadline: number;
  /** Frames so far. */
  frames = 0;
  /** Resolves with what went wrong; never when closed before. */
  readonly over: Promise<Trouble>;

  /** @param give takes each frame, and may give back memory of a frame that nobody needs */
  constructor(source: LiveSource, start: Start, give: (frame: RawFrame) => Uint8Array | undefined) {
    this.#start = start;
    this.#deadline = performance.now() + start.patienceMs;
    this.#reader = new FrameReader(start.sizes, (frame) => {
      this.frames++;
      this.#deadline = performance.now() + STALLED_MS;
      return give(frame);
    });
    let announced: (trouble: Trouble) => void = () => {};
    let silent: () => void = () => {};
    this.#child = new CameraChild(start.program, start.args, start.input, () => {
      const trouble = source.announced?.(this.#child.errors);
      if (trouble) announced(trouble);
    });
    this.over = Promise.race([
      new Promise<Trouble>((done) => {
        announced = done;
      }),
      new Promise<void>((done) => {
        silent = done;
      }).then(() => source.silent(this.#child.errors)),
      this.#child.ended.then((ending) => source.ended(ending)),
    ]);
    this.#child.stdout.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#watch = setInterval(() => {
      // After a block of this process' own the program's bytes are read first.
      setImmediate(() => performance.now() > this.#deadline && silent());
    }, CHECK_MS);
  }

  /** Frames that came in part only. */
  get broken(): number {
    return this.#reader.broken;
  }

  /** Ends the program and waits for that, a second at most. */
  async close(): Promise<void> {
    clearInterval(this.#watch);
    clearTimeout(this.#pause);
    this.#child.stdout.removeAllListeners('data');
    await this.#child.close();
  }

  #take(chunk: Buffer): void {
    this.#reader.push(chunk, performance.now());
    if (this.#start.pauseMs === undefined) return;
    clearTimeout(this.#pause);
    // also after a whole frame: its size is what the pause after it confirms
    const pause = setTimeout(() => {
      // Timers come before reading: what waits in the pipe is read first, and starts another pause.
      setImmediate(() => this.#pause === pause && this.#reader.pause());
    }, this.#start.pauseMs);
    this.#pause = pause;
  }
}
