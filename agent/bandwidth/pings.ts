/** Bytes of a ping's message, each way: enough that a slow link shows, little enough to cost nothing. */
export const PING_BYTES = 1024;
/** After the last transfer the first ping comes so soon; while they bring no news, each waits longer than the one before; ms. */
const FIRST_MS = 300;
const GROWTH = 1.5;
const LONGEST_MS = 10_000;
/** A ping without an answer for so long is given up, ms. */
export const PING_TIMEOUT_MS = 2000;

/**
 * When to send a message to oneself over the broker: while no frame goes to the edge, nothing tells how the link is. Pings
 * hold up no frame. Soon after the last transfer first, since a link that has just become bad may be good again in
 * a second; then ever more seldom.
 */
export class Pings {
  #interval = FIRST_MS;
  #sentAt: number | undefined;
  #number = 0;
  /** Whether one ever came back over this connection: a broker may not let them through. */
  #answered = false;
  #heardAt = Number.NEGATIVE_INFINITY;

  /** @param clock ms */
  constructor(readonly clock: () => number) {}

  /** Whether to send one now. */
  get due(): boolean {
    return this.#sentAt === undefined && this.clock() - this.#heardAt >= this.#interval;
  }

  /** One goes out. @param number tells it from others */
  sent(number = 0): void {
    this.#number = number;
    this.#sentAt = this.clock();
  }

  /** One came back. @param number which; another than the one that is awaited is of no interest @returns ms it took */
  back(number = this.#number): number | undefined {
    if (number !== this.#number) return undefined;
    this.#answered ||= this.#sentAt !== undefined;
    return this.#over();
  }

  /**
   * Gives up on one that is overdue.
   * @returns ms it was waited for; undefined if none is overdue, or none ever came back: that says nothing about the link
   */
  overdue(): number | undefined {
    if (this.#sentAt === undefined || this.clock() - this.#sentAt < PING_TIMEOUT_MS) return undefined;
    const waited = this.#over();
    if (this.#answered) return waited;
    this.#interval = LONGEST_MS;
    return undefined;
  }

  /** What came back was as expected (wait longer) or news (look again soon). */
  learnt(news: boolean): void {
    this.#interval = news ? FIRST_MS : Math.min(LONGEST_MS, this.#interval * GROWTH);
  }

  /** The connection is another one: a ping is due at once. */
  restart(): void {
    this.#sentAt = undefined;
    this.#answered = false;
    this.#heardAt = Number.NEGATIVE_INFINITY;
    this.#interval = FIRST_MS;
  }

  /** A frame's transfer ended: no ping is needed for a while. */
  heard(): void {
    this.#heardAt = this.clock();
    this.#interval = FIRST_MS;
  }

  #over(): number | undefined {
    if (this.#sentAt === undefined) return undefined;
    const took = this.clock() - this.#sentAt;
    this.#sentAt = undefined;
    this.#heardAt = this.clock();
    return took;
  }
}
