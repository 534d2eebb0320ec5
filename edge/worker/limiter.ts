/** Limits how often each name may do something: a burst at once, then a steady rate. Memory is bounded. */
export class RateLimiter {
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  /**
   * @param burst how many at once
   * @param perSecond how many a second after that
   * @param maxNames names that are remembered; the one unused for longest is forgotten first
   */
  constructor(
    readonly burst: number,
    readonly perSecond: number,
    readonly maxNames = 10_000,
  ) {}

  /** @param now milliseconds of any clock that only goes forward */
  allow(name: string, now: number): boolean {
    const bucket = this.#buckets.get(name) ?? { tokens: this.burst, at: now };
    bucket.tokens = Math.min(this.burst, bucket.tokens + ((now - bucket.at) / 1000) * this.perSecond);
    bucket.at = now;
    this.#buckets.delete(name);
    this.#buckets.set(name, bucket);
    if (this.#buckets.size > this.maxNames) {
      const [oldest] = this.#buckets.keys();
      this.#buckets.delete(oldest);
    }
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }
}
