/** Weight of the newest time: a change is followed within a few frames, one outlier moves little. */
const NEWEST = 0.3;

/** What was observed so long ago counts no more: circumstances change, and a point that fared badly gets another chance. */
const FORGET_MS = 30_000;

interface Known {
  ms: number;
  flops: number;
  at: number;
}

/**
 * How long one side needs for each partition point: observed (moving average), else profiled, else scaled by FLOPs from
 * points that were observed or profiled.
 */
export class TimeEstimator {
  readonly #observed = new Map<string, Known>();
  readonly #profiled = new Map<string, Known>();
  readonly #warmAt = new Map<string, number>();

  /**
   * @param assumedFlops FLOP per second where nothing was measured at all
   * @param warmUps each point's first time is left out, and those that began before it ended: they hold the loading of the model
   * @param clock ms
   */
  constructor(
    readonly assumedFlops: number,
    readonly warmUps: boolean,
    readonly clock: () => number = () => performance.now(),
  ) {}

  /** A measured time from before. */
  profile(id: string, ms: number, flops: number): void {
    this.#profiled.set(id, { ms, flops, at: this.clock() });
  }

  /** A frame took this long. @param startedAt when it began, on `clock` */
  observe(id: string, ms: number, flops: number, startedAt = this.clock()): void {
    const warmAt = this.#warmAt.get(id);
    if (warmAt === undefined) this.#warmAt.set(id, this.clock());
    if (this.warmUps && (warmAt === undefined || startedAt < warmAt)) return;
    const before = this.#recent(id);
    this.#observed.set(id, { ms: before ? before.ms + NEWEST * (ms - before.ms) : ms, flops, at: this.clock() });
  }

  /** Milliseconds that a point of so many FLOPs is expected to take. */
  estimate(id: string, flops: number): number {
    const known = this.#recent(id) ?? this.#profiled.get(id);
    return known ? known.ms : (flops / this.#flopsPerSecond()) * 1000;
  }

  /** Whether the time was measured rather than guessed. */
  knows(id: string): boolean {
    return this.#observed.has(id) || this.#profiled.has(id);
  }

  #recent(id: string): Known | undefined {
    const known = this.#observed.get(id);
    return known && this.clock() - known.at < FORGET_MS ? known : undefined;
  }

  #flopsPerSecond(): number {
    const recent = [...this.#observed.keys()].map((id) => this.#recent(id)).filter((known) => known !== undefined);
    const from = recent.length > 0 ? recent : [...this.#profiled.values()];
    const flops = from.reduce((sum, known) => sum + known.flops, 0);
    const ms = from.reduce((sum, known) => sum + known.ms, 0);
    return flops > 0 && ms > 0 ? (flops / ms) * 1000 : this.assumedFlops;
  }
}
