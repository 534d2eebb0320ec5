import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../../platform/log.js';
import type { TailTime } from '../../protocol/status.js';
import type { Route } from './route.js';
import type { Tail } from './tail.js';
import type { TailPool } from './tails.js';

/** Runs per tail and batch size, after one to warm up. */
const RUNS = 5;
/** Frames that wait for a starting edge come first, ms. */
const START_AFTER_MS = 2000;
/** How long to wait after frames came, ms: doubled each time they come again. */
const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 10_000;
/** Most times that are measured: the status that announces them must stay small. */
const MOST_TIMES = 1000;

export interface TailProfileOptions {
  pool: TailPool;
  routes: readonly Route[];
  /** Frames in one run, at most. */
  batch: number;
  /** Frames taken in so far. */
  frames(): number;
  /** Whether no frame waits or is in work, and few come. */
  idle(): boolean;
  /** A batch of so many frames took so long, ms. */
  measured?(route: Route, batch: number, ms: number): void;
}

/** Why the measurement of a tail ended early. */
class Interrupted extends Error {}

/**
 * Measures every tail once, in the background: one run at a time, and only while the edge has nothing else to do. A time
 * during which a frame came is not used. Models that no frame has asked for are unloaded again.
 */
export class TailProfile {
  readonly #times = new Map<Route, TailTime[]>();
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #wait = FIRST_WAIT_MS;

  constructor(
    readonly options: TailProfileOptions,
    readonly log: Log,
  ) {
    this.#done = this.#all().catch((error: unknown) => {
      if (!this.#stop.signal.aborted) log.error('the tails cannot be measured', { error });
    });
  }

  /** What is known by now: by bundle id, then partition id. */
  times(): Record<string, Record<string, TailTime[]>> {
    const times: Record<string, Record<string, TailTime[]>> = {};
    for (const [{ bundle, partition }, list] of this.#times) {
      times[bundle.id] ??= {};
      times[bundle.id][partition] = list;
    }
    return times;
  }

  /** Lets a run under way finish; no other begins. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #all(): Promise<void> {
    await this.#pause(START_AFTER_MS);
    const sizes = batchSizes(this.options.batch);
    const left = this.options.routes.slice(0, Math.floor(MOST_TIMES / sizes.length));
    while (left.length > 0) {
      await this.#idle();
      const route = left.shift() as Route;
      if (!(await this.options.pool.hasRoom(route))) {
        left.push(route);
        await this.#back();
        continue;
      }
      try {
        this.#times.set(route, await this.options.pool.borrow(route, (tail) => this.#tail(tail, sizes)));
        this.log.debug(`measured the tail of ${route.bundle.manifest.service.name}/${route.partition}`);
      } catch (error) {
        if (this.#stop.signal.aborted) throw error;
        if (error instanceof Interrupted) left.push(route);
        else this.log.warn('a tail cannot be measured', { model: route.model, error });
      }
    }
    this.log.info('measured the tails', { tails: this.#times.size });
  }

  async #tail(tail: Tail, sizes: readonly number[]): Promise<TailTime[]> {
    const payload = tail.route.sample();
    const times: TailTime[] = [];
    for (const batch of sizes) {
      await run(tail, payload, batch);
      const all: number[] = [];
      while (all.length < RUNS) {
        await this.#idle();
        // Frames' own models come first where there is room for so many only.
        if (this.options.pool.crowded) throw new Interrupted('frames need the room');
        const before = this.options.frames();
        const ms = await run(tail, payload, batch);
        if (this.options.frames() !== before) {
          await this.#back();
          continue;
        }
        all.push(ms);
        this.options.measured?.(tail.route, batch, ms);
      }
      times.push({ batch, ...spread(all) });
    }
    return times;
  }

  async #idle(): Promise<void> {
    this.#stop.signal.throwIfAborted();
    while (!this.options.idle()) await this.#pause(FIRST_WAIT_MS);
  }

  async #back(): Promise<void> {
    await this.#pause(this.#wait);
    this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT_MS);
  }

  #pause(ms: number): Promise<void> {
    return pause(ms, undefined, { signal: this.#stop.signal, ref: false });
  }
}

/** 1, 2, 4, ... below the largest batch, and that. */
function batchSizes(most: number): number[] {
  const sizes: number[] = [];
  for (let size = 1; size < most; size *= 2) sizes.push(size);
  return [...sizes, most];
}

/** Decodes and runs a batch of the same frame. @returns ms */
async function run(tail: Tail, payload: Uint8Array, batch: number): Promise<number> {
  const { cells, decode } = tail.route;
  const input = tail.buffer(batch);
  const start = performance.now();
  for (let i = 0; i < batch; i++) decode(payload, 0, input.subarray(i * cells, (i + 1) * cells));
  const decoded = performance.now() - start;
  const { runMs } = await tail.run(input, new Array(batch).fill(0));
  return decoded + runMs;
}

/** Mean and standard deviation, ms. */
function spread(times: readonly number[]): Omit<TailTime, 'batch'> {
  const mean = times.reduce((sum, ms) => sum + ms, 0) / times.length;
  const squares = times.reduce((sum, ms) => sum + (ms - mean) ** 2, 0);
  return { mean: round(mean), deviation: round(Math.sqrt(squares / (times.length - 1))) };
}

const round = (ms: number): number => Math.round(ms * 1000) / 1000;
