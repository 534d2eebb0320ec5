/** Weight of the newest time: a change is followed within a few frames, one outlier moves little. */
const NEWEST = 0.3;

/** FLOP per second that are assumed where nothing was measured at all. */
const ASSUMED_FLOPS = 20e9;

/**
 * How long one side needs for each partition point: observed (moving average), else profiled, else scaled by FLOPs from
 * points that were observed or profiled.
 */
export class TimeEstimator {
  readonly #observed = new Map<string, { ms: number; flops: number }>();
  readonly #profiled = new Map<string, { ms: number; flops: number }>();

  /** A measured time from before. */
  profile(id: string, ms: number, flops: number): void {
    this.#profiled.set(id, { ms, flops });
  }

  /** A frame took this long. */
  observe(id: string, ms: number, flops: number): void {
    const before = this.#observed.get(id);
    this.#observed.set(id, { ms: before ? before.ms + NEWEST * (ms - before.ms) : ms, flops });
  }

  /** Milliseconds that a point of so many FLOPs is expected to take. */
  estimate(id: string, flops: number): number {
    const known = this.#observed.get(id) ?? this.#profiled.get(id);
    return known ? known.ms : (flops / this.#flopsPerSecond()) * 1000;
  }

  /** Whether the time was measured rather than guessed. */
  knows(id: string): boolean {
    return this.#observed.has(id) || this.#profiled.has(id);
  }

  #flopsPerSecond(): number {
    const from = this.#observed.size > 0 ? this.#observed : this.#profiled;
    let flops = 0;
    let ms = 0;
    for (const entry of from.values()) {
      flops += entry.flops;
      ms += entry.ms;
    }
    return flops > 0 && ms > 0 ? (flops / ms) * 1000 : ASSUMED_FLOPS;
  }
}
