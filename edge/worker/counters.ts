import { Histogram } from '../../platform/histogram.js';
import type { EdgeTimes } from '../../protocol/result.js';

/** What the worker has done since its start. */
export interface WorkerStats {
  /** Messages taken in. */
  frames: number;
  /** Answered with a result. */
  results: number;
  /** Answered with an error. */
  errors: number;
  /** Runs of a tail. */
  batches: number;
  /** How many of them had so many frames: at 1 the runs of one frame. */
  batch_sizes: readonly number[];
  /** Without a result, by cause. frames = results + all drops + what is in work. */
  drops: Record<string, number>;
  bytes: number;
  /** p50 of recent frames, ms. */
  steps_ms: Partial<Record<keyof EdgeTimes, number>>;
}

const steps = ['queue', 'decode', 'tail', 'post', 'total'] as const;

export class Counters {
  frames = 0;
  results = 0;
  errors = 0;
  batches = 0;
  bytes = 0;
  readonly #batchSizes: number[] = [0];
  readonly #drops = new Map<string, number>();
  readonly #times = new Map(steps.map((step) => [step, new Histogram(512)]));

  drop(cause: string): void {
    this.#drops.set(cause, (this.#drops.get(cause) ?? 0) + 1);
  }

  /** A tail ran. @param frames in it, 1..64 */
  batch(frames: number): void {
    this.batches++;
    while (this.#batchSizes.length <= frames) this.#batchSizes.push(0);
    this.#batchSizes[frames]++;
  }

  times(times: EdgeTimes): void {
    for (const step of steps) this.#times.get(step)?.add(times[step]);
  }

  stats(): WorkerStats {
    const steps_ms: WorkerStats['steps_ms'] = {};
    for (const [step, histogram] of this.#times) {
      const p50 = histogram.p50();
      if (p50 !== null) steps_ms[step] = Math.round(p50 * 1000) / 1000;
    }
    const { frames, results, errors, batches, bytes } = this;
    const drops = Object.fromEntries(this.#drops);
    return { frames, results, errors, batches, batch_sizes: [...this.#batchSizes], drops, bytes, steps_ms };
  }
}
