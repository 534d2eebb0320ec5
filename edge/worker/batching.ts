/** Weight of the newest run in a size's mean. */
const NEWEST = 0.2;
/** Weight of the newest gap between two frames of a tail, and the longest gap that counts, ms. */
const NEWEST_GAP = 0.1;
const LONGEST_GAP_MS = 1000;
/** A batch must bring so much more frames a second than one frame at a time; below that it is only slower to answer. */
const PAYS = 1.05;
/** Of batches that are this close to the best, the smallest. */
const ALIKE = 0.98;
/** Waiting must save so much of all latency. */
const WAITING_PAYS = 0.95;

/** How long batches of one tail take by their size: decoding and running; ms. Learnt from the runs themselves. */
export class BatchTimes {
  /** By size; how often each was seen. */
  readonly #known: { ms: number; seen: number }[] = [];

  /** A batch of n frames took this long, ms. */
  observe(n: number, ms: number): void {
    const known = this.#known[n];
    if (known === undefined) this.#known[n] = { ms, seen: 1 };
    // The first run of a size plans its memory.
    else if (known.seen === 1) this.#known[n] = { ms: Math.min(ms, known.ms), seen: 2 };
    else known.ms += NEWEST * (ms - known.ms);
  }

  knows(n: number): boolean {
    return this.#known[n] !== undefined;
  }

  /**
   * What a batch of n takes, ms: between sizes that are known on the straight line, beyond them in proportion.
   * @returns undefined while nothing is known
   */
  estimate(n: number): number | undefined {
    const exact = this.#known[n]?.ms;
    if (exact !== undefined) return exact;
    let below = 0;
    let above = 0;
    for (const size of this.#known.keys()) {
      if (this.#known[size] === undefined) continue;
      if (size < n) below = size;
      else if (above === 0) above = size;
    }
    if (below > 0 && above > 0) {
      const from = this.#known[below].ms;
      return from + ((this.#known[above].ms - from) * (n - below)) / (above - below);
    }
    const nearest = below || above;
    return nearest > 0 ? (this.#known[nearest].ms * n) / nearest : undefined;
  }
}

/**
 * How many frames of one tail to run together, and whether to wait for one more. Frames of several cameras share a run
 * where that answers more of them a second; on a processor that is busy with one frame it does not, on a GPU it does.
 */
export class Batching {
  readonly times = new BatchTimes();
  #gap = LONGEST_GAP_MS;
  #arrivedAt = Number.NEGATIVE_INFINITY;

  /** @param most frames in one run */
  constructor(readonly most: number) {}

  /** A frame came. @param now ms */
  arrived(now: number): void {
    const gap = Math.min(LONGEST_GAP_MS, now - this.#arrivedAt);
    this.#gap += NEWEST_GAP * (gap - this.#gap);
    this.#arrivedAt = now;
  }

  /** Mean time between two frames, ms. */
  get gap(): number {
    return this.#gap;
  }

  /** What one frame costs in the best batch, ms; 0 while nothing is known. */
  cost(): number {
    const n = this.size(this.most, Number.POSITIVE_INFINITY, false);
    return (this.times.estimate(n) ?? 0) / n;
  }

  /**
   * The batch with the most frames a second.
   * @param waiting frames that are there
   * @param slack the batch must end within so long, ms; a single frame is run in any case
   * @param trying whether a size that was never run may be chosen, to learn what it takes
   */
  size(waiting: number, slack: number, trying = true): number {
    if (this.times.estimate(1) === undefined) return 1;
    const rates = [0];
    for (let n = 1; n <= Math.min(waiting, this.most); n++) {
      const ms = this.times.estimate(n) as number;
      if (n > 1 && ms > slack) break;
      const isNew = !this.times.knows(n) && ((n & (n - 1)) === 0 || n === this.most);
      if (trying && isNew) return n;
      rates[n] = n / ms;
    }
    const best = Math.max(...rates);
    return best < PAYS * rates[1] ? 1 : rates.findIndex((rate) => rate >= ALIKE * best);
  }

  /**
   * How long to wait for one more frame while nothing runs, ms; 0: not at all. One more is waited for where all of them
   * together are then answered sooner: a batch that takes hardly longer with it, and a frame that is about to come.
   * @param n frames that are there
   * @param waited how long the oldest has been here, ms
   * @param slack the batch must end within so long, ms
   */
  wait(n: number, waited: number, slack: number): number {
    const alone = this.times.estimate(1);
    const now = this.times.estimate(n);
    if (n >= this.most || alone === undefined || now === undefined || !this.#bracketed(n + 1)) return 0;
    const gap = this.#gap;
    const together = this.times.estimate(n + 1) as number;
    // Never longer than the run itself would take, and no frame too late.
    if (waited + gap > now || gap + together > slack) return 0;
    const apart = n * now + Math.max(now, gap) + alone;
    return (n + 1) * (gap + together) < WAITING_PAYS * apart ? gap : 0;
  }

  /** A size beyond all that were run is a guess, and nobody waits on a guess. */
  #bracketed(n: number): boolean {
    for (let size = n; size <= this.most; size++) if (this.times.knows(size)) return true;
    return false;
  }
}
