import { middle } from './middle.js';

/** Weight of the newest wait; the middle of the last three counts, so that one hiccup does not. */
const NEWEST = 0.4;
/** What was seen so long ago says nothing any more, ms. */
const FORGET_MS = 10_000;

/** How long frames wait at the edge before they are worked on: seen on our own, else what the edge says of others'. */
export class Waiting {
  #recent: number[] = [];
  #mean = 0;
  #at = Number.NEGATIVE_INFINITY;
  #reported = 0;

  constructor(readonly clock: () => number) {}

  /** ms */
  get ms(): number {
    return this.clock() - this.#at < FORGET_MS ? this.#mean : this.#reported;
  }

  /** One of our frames waited so long, ms. */
  add(ms: number): void {
    const fresh = this.clock() - this.#at >= FORGET_MS;
    this.#recent = fresh ? [ms] : [...this.#recent.slice(-2), ms];
    this.#mean = fresh ? ms : this.#mean + NEWEST * (middle(this.#recent) - this.#mean);
    this.#at = this.clock();
  }

  /** The edge's own median of recent frames, ms. */
  report(ms: number): void {
    this.#reported = ms;
  }
}
