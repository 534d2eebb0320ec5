/** Time, so that tests can make their own. */
export interface Clock {
  /** ms, only forward. */
  now(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** How often it looks whether frames are on their way, ms. */
const LOOK_MS = 10;
/** Frames that never cease must not stop an update for good: then one chunk in so much time, ms. */
const PATIENCE_MS = 2000;

/**
 * When the next piece may be asked for: no sooner than the rate allows, and while no frame is on its way. Where frames are always
 * on their way, one piece every two seconds goes beside them.
 */
export class Pacer {
  #free = Number.NEGATIVE_INFINITY;

  /**
   * @param kbps kbit/s, at most
   * @param busy whether frames are on their way
   */
  constructor(
    readonly kbps: number,
    readonly busy: () => boolean,
    readonly clock: Clock,
  ) {}

  /** Waits for the turn of a piece of so many bytes. @throws the signal's reason */
  async turn(bytes: number, signal?: AbortSignal): Promise<void> {
    const { clock } = this;
    signal?.throwIfAborted();
    const wait = this.#free - clock.now();
    if (wait > 0) await clock.sleep(wait, signal);
    const latest = clock.now() + PATIENCE_MS;
    while (this.busy() && clock.now() < latest) await clock.sleep(LOOK_MS, signal);
    // kbit/s are bits per ms. From now, not from when it was free: what was not used is not saved up.
    this.#free = clock.now() + (bytes * 8) / this.kbps;
  }
}
