import { setTimeout as sleep } from 'node:timers/promises';

/** Gives out moments at a steady rate. A late caller gets one at once and the rhythm starts anew: no burst follows. */
export class Pace {
  readonly #period: number;
  #due = -Infinity;

  /** @param fps moments per second; 0 or absent: every call returns at once */
  constructor(fps = 0) {
    this.#period = fps > 0 ? 1000 / fps : 0;
  }

  /** Waits for the next moment. Throws the signal's reason when it is aborted. */
  async wait(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#period === 0) return;
    const now = performance.now();
    if (this.#due > now) {
      try {
        await sleep(this.#due - now, undefined, { signal });
      } catch (error) {
        signal.throwIfAborted();
        throw error;
      }
      this.#due += this.#period;
    } else {
      this.#due = now + this.#period;
    }
  }
}
