/** Trials may cost this share of what frames cost. */
const SHARE = 0.015;
/** Cost in ms that is there to begin with, and that can be saved up at most: the share of so many frames. */
const FIRST_FRAMES = 20;
const MOST_FRAMES = 1000;
/** Trials are at least so far apart, ms: the answer to the one before should have come. */
const APART_MS = 1000;

/** How much may be spent on frames that are sent to learn something: a small share of what all frames cost. */
export class ProbeBudget {
  #saved: number | undefined;
  #at = Number.NEGATIVE_INFINITY;

  /** @param clock ms */
  constructor(readonly clock: () => number) {}

  /** A frame was planned. @param cost ms */
  earn(cost: number): void {
    const saved = this.#saved ?? FIRST_FRAMES * SHARE * cost;
    this.#saved = Math.min(saved + SHARE * cost, MOST_FRAMES * SHARE * cost);
  }

  /** @param cost what a trial is expected to cost more than an ordinary frame, ms @returns whether it can be afforded */
  spend(cost: number): boolean {
    const now = this.clock();
    if (now - this.#at < APART_MS || cost > (this.#saved ?? 0)) return false;
    this.#saved = (this.#saved ?? 0) - Math.max(0, cost);
    this.#at = now;
    return true;
  }

  /** A trial cost so much more, ms (less: below 0), than it was expected to. */
  settle(surplus: number): void {
    if (this.#saved !== undefined) this.#saved -= surplus;
  }
}
