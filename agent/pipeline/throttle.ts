/** Shortest and longest pause between two frames to an edge that is overloaded, ms. */
const SHORTEST_MS = 50;
const LONGEST_MS = 5000;
/** Each refusal makes the pause so many times longer, each answer so many times shorter. */
const SLOWER = 2;
const FASTER = 0.8;

/**
 * Slows down towards an edge that says it is overloaded: frames that would be refused are not sent. The pause grows with
 * every refusal and shrinks with every answer, so the device finds the rate that the edge has room for.
 */
export class Throttle {
  #pause = 0;
  #from = Number.NEGATIVE_INFINITY;

  /** @param clock ms */
  constructor(readonly clock: () => number = () => performance.now()) {}

  /** How long no frame should go out, ms. */
  get delay(): number {
    return Math.max(0, this.#from + this.#pause - this.clock());
  }

  /** A frame goes out. */
  sent(): void {
    this.#from = this.clock();
  }

  /** A frame was refused. @param waitMs how long it would have had to wait, where the edge says so */
  overloaded(waitMs = 0): void {
    this.#pause = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, SLOWER * this.#pause, waitMs));
    this.#from = this.clock();
  }

  /** A frame was answered with a result. */
  answered(): void {
    this.#pause *= FASTER;
    if (this.#pause < SHORTEST_MS) this.#pause = 0;
  }
}
