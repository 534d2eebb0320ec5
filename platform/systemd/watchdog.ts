import type { Notifier } from './notify.js';

/** The manager hears of progress so many times in the time that it waits: one lost message must not kill a service. */
const FEEDS = 4;

/**
 * Why nothing is done just now, though all is well; undefined where something should be done. May ask somebody, who
 * answers late or never: then nothing is fed.
 */
export type Idle = () => string | undefined | Promise<string | undefined>;

/**
 * Feeds the service manager's watchdog: when a piece of work was finished (`progress`), or when there is a good reason for
 * none (`idle`). Time alone never feeds it, so a process that runs and does nothing is started again.
 */
export class Watchdog {
  readonly #everyMs: number;
  readonly #timer: NodeJS.Timeout | undefined;
  #fedAt = Number.NEGATIVE_INFINITY;
  #worked = false;
  #asking = false;
  #reason: string | undefined;

  /** @param clock ms */
  constructor(
    readonly notifier: Pick<Notifier, 'watchdogMs' | 'watchdog' | 'status'>,
    readonly idle: Idle,
    readonly clock: () => number = () => performance.now(),
  ) {
    this.#everyMs = (notifier.watchdogMs ?? 0) / FEEDS;
    if (notifier.watchdogMs !== undefined) this.#timer = setInterval(() => void this.check(), this.#everyMs).unref();
  }

  /** Why nothing is done, as it was last seen. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** A piece of work got all the way through. */
  progress(): void {
    this.#worked = true;
    this.#reason = undefined;
    if (this.clock() - this.#fedAt >= this.#everyMs) this.#feed();
  }

  /** Looks whether all is well. Called by a timer. Never rejects. */
  async check(): Promise<void> {
    // What was finished since the last look counts, even if it came a moment too early to be told at once.
    if (this.#worked) {
      this.#feed();
      return;
    }
    if (this.#asking) return;
    this.#asking = true;
    try {
      this.#reason = await this.idle();
    } catch {
      this.#reason = undefined;
    } finally {
      this.#asking = false;
    }
    if (this.#reason !== undefined) this.#feed();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #feed(): void {
    this.#worked = false;
    this.#fedAt = this.clock();
    this.notifier.watchdog();
  }
}
