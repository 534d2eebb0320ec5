/** The share is of so long, ms. */
const WINDOW_MS = 5000;
/** Marks are at least so far apart, ms. */
const STEP_MS = 250;

/** How busy the inference threads were lately: the share of time in which at least one of them ran. */
export class Load {
  #running = 0;
  /** Busy time up to `#since`, and when that was. */
  #busyMs = 0;
  #since: number;
  /** Busy time at moments past, oldest first; the first is as old as the window or older. */
  readonly #marks: { at: number; busyMs: number }[];

  /** @param clock ms */
  constructor(readonly clock: () => number = () => performance.now()) {
    this.#since = clock();
    this.#marks = [{ at: this.#since, busyMs: 0 }];
  }

  /** Runs something as inference. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#advance();
    this.#running++;
    try {
      return await work();
    } finally {
      this.#advance();
      this.#running--;
    }
  }

  /** 0 to 1, of the last five seconds or since the start. */
  share(): number {
    this.#advance();
    const [{ at, busyMs }] = this.#marks;
    const span = this.#since - at;
    return span > 0 ? Math.min(1, (this.#busyMs - busyMs) / span) : 0;
  }

  #advance(): void {
    const now = this.clock();
    if (this.#running > 0) this.#busyMs += now - this.#since;
    this.#since = now;
    const marks = this.#marks;
    if (now - marks[marks.length - 1].at >= STEP_MS) marks.push({ at: now, busyMs: this.#busyMs });
    while (marks.length > 1 && marks[1].at <= now - WINDOW_MS) marks.shift();
  }
}
