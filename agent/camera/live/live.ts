import { setTimeout as sleep } from 'node:timers/promises';
import { retryDelays } from '../../../platform/retry.js';
import type { CameraHealth } from '../../../protocol/health.js';
import type { Camera, CameraOptions, Picture } from '../camera.js';
import { Due } from './due.js';
import type { RawFrame } from './reader.js';
import { LiveRun } from './run.js';
import type { LiveSource, Start } from './source.js';
import { Trouble } from './trouble.js';

/** A run that lasted so long was a success, ms: the pauses between attempts start small again. */
const SUCCESS_MS = 10_000;

/**
 * A camera that is watched over: started, and started again with growing pauses whenever it ends, stalls or is not there.
 * The newest picture waits to be taken, and no other.
 */
export class LiveCamera implements Camera {
  readonly #source: LiveSource;
  readonly #options: CameraOptions;
  readonly #due: Due;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #description: string;
  #state: CameraHealth['state'] = 'starting';
  #message: string | undefined;
  #since = performance.now();
  #restarts = 0;
  #skipped = 0;
  #run: LiveRun | undefined;
  #newest: { frame: RawFrame; start: Start } | undefined;
  #given = 0;
  #wake: () => void = () => {};

  constructor(source: LiveSource, options: CameraOptions) {
    this.#source = source;
    this.#options = options;
    this.#description = source.description;
    this.#due = new Due(options.fps);
    this.#running = this.#watchOver();
  }

  get description(): string {
    return this.#description;
  }

  get skipped(): number {
    return this.#skipped + (this.#run?.broken ?? 0);
  }

  get health(): CameraHealth {
    return {
      state: this.#state,
      description: this.#description,
      since_s: Math.round((performance.now() - this.#since) / 100) / 10,
      restarts: this.#restarts,
      ...(this.#message !== undefined && { message: this.#message }),
    };
  }

  async next(signal: AbortSignal): Promise<Picture | null> {
    const wake = () => this.#wake();
    signal.addEventListener('abort', wake);
    try {
      for (;;) {
        signal.throwIfAborted();
        if (this.#stop.signal.aborted || this.#given >= (this.#options.frames ?? Number.POSITIVE_INFINITY)) return null;
        const newest = this.#newest;
        this.#newest = undefined;
        if (newest && this.#due.take(newest.frame.at)) return this.#pictureOf(newest.frame, newest.start);
        await new Promise<void>((done) => {
          this.#wake = done;
        });
      }
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await this.#running;
  }

  #pictureOf({ data, at }: RawFrame, start: Start): Picture {
    this.#given++;
    const name = `picture ${this.#given}`;
    return { ...start.picture(data), capturedAt: at, captureMs: performance.now() - at, name };
  }

  async #watchOver(): Promise<void> {
    const { signal } = this.#stop;
    let delays = retryDelays();
    while (!signal.aborted) {
      const startedAt = performance.now();
      const trouble = await this.#once();
      if (signal.aborted) return;
      this.#show(trouble.state, trouble.message);
      if (performance.now() - startedAt > SUCCESS_MS) delays = retryDelays();
      await sleep(delays.next().value, undefined, { signal }).catch(() => {});
      this.#restarts++;
    }
  }

  /** One attempt, to its end. */
  async #once(): Promise<Trouble> {
    const { signal } = this.#stop;
    let start: Start;
    try {
      start = await this.#source.prepare(signal);
    } catch (error) {
      return error instanceof Trouble ? error : new Trouble('failed', (error as Error).message);
    }
    if (signal.aborted) return new Trouble('failed', 'closed');
    const run = new LiveRun(this.#source, start, (frame) => this.#receive(frame, start));
    this.#run = run;
    let onAbort = () => {};
    const aborted = new Promise<Trouble>((done) => {
      onAbort = () => done(new Trouble('failed', 'closed'));
      signal.addEventListener('abort', onAbort);
    });
    const trouble = await Promise.race([run.over, aborted]);
    signal.removeEventListener('abort', onAbort);
    this.#newest = undefined;
    // said before it is ended: that may take a second
    if (!signal.aborted) this.#show(trouble.state, trouble.message);
    await run.close();
    this.#skipped += run.broken;
    this.#run = undefined;
    return trouble;
  }

  /** @returns memory of the picture that this one replaces */
  #receive(frame: RawFrame, start: Start): Uint8Array | undefined {
    const replaced = this.#newest?.frame.data;
    this.#newest = { frame, start };
    this.#description = start.description;
    this.#show('running');
    this.#wake();
    return replaced;
  }

  #show(state: CameraHealth['state'], message?: string): void {
    if (state === this.#state && message === this.#message) return;
    if (state !== this.#state) this.#since = performance.now();
    this.#state = state;
    this.#message = message;
    this.#options.changed?.(this.health);
  }
}
