/** News is published at once, but no more often than this, ms. */
const NEWS_APART_MS = 500;

/** Publishes a document now and then, and when there is news, until stopped. */
export class Reporter {
  #newsAt = Number.NEGATIVE_INFINITY;
  #soon: NodeJS.Timeout | undefined;
  readonly #timer: NodeJS.Timeout;

  /** @param publish called every interval; must not throw */
  constructor(
    readonly intervalMs: number,
    readonly publish: () => void,
  ) {
    this.#timer = setInterval(publish, intervalMs);
    this.#timer.unref();
  }

  /** Something changed that readers should know soon. */
  news(): void {
    if (this.#soon) return;
    const wait = Math.max(0, this.#newsAt + NEWS_APART_MS - performance.now());
    this.#soon = setTimeout(() => {
      this.#soon = undefined;
      this.#newsAt = performance.now();
      this.publish();
    }, wait).unref();
  }

  /** One last time, then no more. */
  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
    this.publish();
  }
}
