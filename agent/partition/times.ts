import { Drift } from './drift.js';

/** How fast a point's own time follows what the side's drift does not explain: slowly, so that drift stays drift. */
const OWN = 0.1;
/** Surplus of one frame that counts at most. */
const MOST = 0.1;

interface Known {
  ms: number;
  flops: number;
  /** Whether frames were timed, not only a profile read. */
  observed: boolean;
}

/**
 * How long one side needs for each partition point: its own time (profiled, else from the first frames, else by FLOPs
 * from points that are known) times how much slower than that the side is at present (`Drift`).
 */
export class TimeEstimator {
  readonly #known = new Map<string, Known>();
  readonly #warmAt = new Map<string, number>();
  readonly drift: Drift;

  /**
   * @param assumedFlops FLOP per second where nothing was measured at all
   * @param warmUps each point's first time is left out, and those that began before it ended: they hold the loading of the model
   * @param clock ms
   */
  constructor(
    readonly assumedFlops: number,
    readonly warmUps: boolean,
    readonly clock: () => number = () => performance.now(),
  ) {
    this.drift = new Drift(clock);
  }

  /** A measured time from before. What frames have shown counts more. */
  profile(id: string, ms: number, flops: number): void {
    if (!this.#known.get(id)?.observed) this.#known.set(id, { ms, flops, observed: false });
  }

  /** A frame took this long. @param startedAt when it began, on `clock` */
  observe(id: string, ms: number, flops: number, startedAt = this.clock()): void {
    const warmAt = this.#warmAt.get(id);
    if (warmAt === undefined) this.#warmAt.set(id, this.clock());
    if (this.warmUps && (warmAt === undefined || startedAt < warmAt)) return;
    const known = this.#known.get(id);
    if (!known) {
      this.#known.set(id, { ms: ms / this.drift.ratio, flops, observed: true });
      return;
    }
    const ratio = ms / Math.max(1e-6, known.ms);
    this.drift.add(ratio);
    const surplus = ratio / this.drift.lately - 1;
    known.ms *= 1 + OWN * Math.max(-MOST, Math.min(MOST, surplus));
    known.observed = true;
  }

  /** Milliseconds that a point of so many FLOPs is expected to take now. */
  estimate(id: string, flops: number): number {
    return this.own(id, flops) * this.drift.ratio;
  }

  /** Milliseconds that it takes without the drift: what a profile keeps. */
  own(id: string, flops: number): number {
    return this.#known.get(id)?.ms ?? (flops / this.#flopsPerSecond()) * 1000;
  }

  /** Whether the time was measured rather than guessed. */
  knows(id: string): boolean {
    return this.#known.has(id);
  }

  #flopsPerSecond(): number {
    let flops = 0;
    let ms = 0;
    for (const known of this.#known.values()) {
      flops += known.flops;
      ms += known.ms;
    }
    return flops > 0 && ms > 0 ? (flops / ms) * 1000 : this.assumedFlops;
  }
}
