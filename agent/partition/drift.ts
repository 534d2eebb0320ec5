import { middle } from './middle.js';

/** Of the middle of the last three ratios, so much is taken over at once: a step is followed in a few frames, one outlier never. */
const NEWEST = 0.5;
/** Without news the ratio goes back to the usual one in about this time, ms: heat and load pass. */
const FADE_MS = 30_000;
/** The usual ratio is the mean of the first so many, then follows slowly: a profile may differ from what frames take. */
const USUAL = 50;

/**
 * How many times slower than known one side is at present: heat, throttling, other load. One figure for all partition
 * points, so what is seen at one is expected of all.
 */
export class Drift {
  #recent: number[] = [];
  #ratio = 1;
  #usual = 1;
  #count = 0;
  #at = 0;

  /** @param clock ms */
  constructor(readonly clock: () => number) {}

  /** Times slower than known; 1 when as known. */
  get ratio(): number {
    return this.#usual + (this.#ratio - this.#usual) * Math.exp((this.#at - this.clock()) / FADE_MS);
  }

  /** The middle of the last three, as they were. */
  get lately(): number {
    return this.#recent.length > 0 ? middle(this.#recent) : 1;
  }

  /** A frame took so many times as long as known. @param ratio more than 0 */
  add(ratio: number): void {
    const before = this.ratio;
    this.#recent = [...this.#recent.slice(-2), ratio];
    this.#at = this.clock();
    this.#ratio = before + NEWEST * (this.lately - before);
    this.#count = Math.min(USUAL, this.#count + 1);
    this.#usual += (this.lately - this.#usual) / this.#count;
  }
}
