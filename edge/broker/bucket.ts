/** Two seconds' worth may come at once. */
const BURST_S = 2;

/** A token bucket that may run into debt: something larger than the burst passes, and is paid off before the next. */
export class Bucket {
  #tokens: number;
  #at: number;

  /** @param perSecond what comes back each second @param now ms, any clock that runs on */
  constructor(
    readonly perSecond: number,
    now: number,
  ) {
    this.#tokens = perSecond * BURST_S;
    this.#at = now;
  }

  /** Milliseconds until something may pass; 0: now. */
  wait(now: number): number {
    this.#refill(now);
    return this.#tokens > 0 ? 0 : Math.ceil(((1 - this.#tokens) / this.perSecond) * 1000);
  }

  take(amount: number, now: number): void {
    this.#refill(now);
    this.#tokens -= amount;
  }

  #refill(now: number): void {
    const passed = Math.max(0, now - this.#at) / 1000;
    this.#tokens = Math.min(this.perSecond * BURST_S, this.#tokens + passed * this.perSecond);
    this.#at = now;
  }
}
