import { Drift } from './drift.js';

/** Frames of a point that set its own time, once another point has shown how the side is. */
const CALIBRATING = 3;
/** How fast a point's own time follows what the side's drift does not explain afterwards: slowly, so that drift stays drift. */
const OWN = 0.1;
/** Surplus of one frame that counts at most. */
const MOST = 0.1;
/** A first time so much longer than expected holds the loading of the model. */
const LOADING = 2.5;

interface Known {
  ms: number;
  flops: number;
  /** Frames that were timed; 0: only a profile was read. */
  frames: number;
}

/**
 * How long one side needs for each partition point: its own time (profiled, else from the first frames, else by FLOPs
 * from points that are known) times how much slower than that the side is at present (`Drift`). The first point in use
 * tells the drift, later ones first their own error of the profile.
 */
export class TimeEstimator {
  readonly #known = new Map<string, Known>();
  readonly #warmAt = new Map<string, number>();
  #first: string | undefined;
  readonly drift: Drift;

  /**
   * @param assumedFlops FLOP per second where nothing was measured at all
   * @param warmUps each point's first time is left out, and those that began before it ended, where they may hold the loading
   *   of the model
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
    if (ms > 0 && !this.#known.get(id)?.frames) this.#known.set(id, { ms, flops, frames: 0 });
  }

  /** A frame took this long. @param startedAt when it began, on `clock` */
  observe(id: string, ms: number, flops: number, startedAt = this.clock()): void {
    // What an edge says is not to be trusted blindly.
    if (!(ms > 0)) return;
    if (this.warmUps && this.#mayBeLoading(id, ms, startedAt)) return;
    const known = this.#known.get(id);
    if (!known) {
      this.#first ??= id;
      this.#known.set(id, { ms: ms / this.drift.ratio, flops, frames: 1 });
      return;
    }
    this.#first ??= id;
    if (id !== this.#first && known.frames < CALIBRATING) {
      const own = ms / this.drift.ratio;
      known.ms = (known.frames * known.ms + own) / (known.frames + 1);
      known.frames++;
      return;
    }
    const ratio = ms / known.ms;
    this.drift.add(ratio);
    const surplus = ratio / this.drift.lately - 1;
    known.ms *= 1 + OWN * Math.max(-MOST, Math.min(MOST, surplus));
    known.frames++;
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

  /** Whether frames were timed. */
  saw(id: string): boolean {
    return (this.#known.get(id)?.frames ?? 0) > 0;
  }

  #mayBeLoading(id: string, ms: number, startedAt: number): boolean {
    const warmAt = this.#warmAt.get(id);
    if (warmAt !== undefined) return startedAt < warmAt;
    const known = this.#known.get(id);
    const isAsExpected = known !== undefined && ms < LOADING * known.ms * this.drift.ratio;
    this.#warmAt.set(id, isAsExpected ? Number.NEGATIVE_INFINITY : this.clock());
    return !isAsExpected;
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
