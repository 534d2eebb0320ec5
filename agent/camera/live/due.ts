/** How much of a period a picture may be early: cameras do not tick evenly. */
const EARLY = 0.25;
/** How much of a period that was lost is made up for: a camera's own rate seldom is a multiple of what is wanted. */
const DEBT = 0.5;

/** Chooses from a camera's pictures as many as are wanted: each at once when it comes, so that none is old when it is taken. */
export class Due {
  readonly #period: number;
  #due = Number.NEGATIVE_INFINITY;

  /** @param fps pictures per second; 0 or absent: all */
  constructor(fps = 0) {
    this.#period = fps > 0 ? 1000 / fps : 0;
  }

  /** Whether the picture of this moment (performance.now()) is taken. */
  take(at: number): boolean {
    if (at < this.#due - EARLY * this.#period) return false;
    this.#due = Math.max(this.#due, at - DEBT * this.#period) + this.#period;
    return true;
  }
}
