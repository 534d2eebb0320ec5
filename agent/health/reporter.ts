/** Publishes a document now and then, until stopped. */
export class Reporter {
  readonly #timer: NodeJS.Timeout;

  /** @param publish called every interval; must not throw */
  constructor(
    readonly intervalMs: number,
    readonly publish: () => void,
  ) {
    this.#timer = setInterval(publish, intervalMs);
    this.#timer.unref();
  }

  /** One last time, then no more. */
  stop(): void {
    clearInterval(this.#timer);
    this.publish();
  }
}
