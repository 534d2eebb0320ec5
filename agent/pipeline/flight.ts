import type { Picture } from '../camera/camera.js';

/**
 * Which pictures become frames. A few are on their way at a time; while there is no room, the newest picture waits and
 * replaces the one that waited before. Nothing is queued.
 */
export class FlightControl {
  #inFlight = 0;
  #waiting: { picture: Picture; since: number } | undefined;
  #superseded = 0;
  #late = 0;
  #idle: (() => void)[] = [];
  #room: (() => void)[] = [];
  #stopped = false;

  /**
   * @param limit most frames on their way now; asked before each start
   * @param fly one frame's trip, with the moment (performance.now()) at which the picture came; must not reject
   * @param lateAfterMs a picture that waited longer is dropped; asked when it could start
   */
  constructor(
    readonly limit: () => number,
    readonly fly: (picture: Picture, since: number) => Promise<void>,
    readonly lateAfterMs: () => number = () => Number.POSITIVE_INFINITY,
  ) {}

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Whether a picture waits for room. */
  get waiting(): boolean {
    return this.#waiting !== undefined;
  }

  /** Pictures that a newer one replaced before they were started. */
  get superseded(): number {
    return this.#superseded;
  }

  /** Pictures that waited too long. */
  get late(): number {
    return this.#late;
  }

  /** A new picture: started now, or kept until there is room or a newer one. */
  offer(picture: Picture): void {
    if (this.#stopped) return;
    if (this.#waiting) this.#superseded++;
    this.#waiting = { picture, since: performance.now() };
    this.#start();
  }

  /** Resolves when a picture offered now would start at once, or when it is no longer worth waiting for. */
  async room(signal?: AbortSignal): Promise<void> {
    const onAbort = () => wake(this.#room);
    signal?.addEventListener('abort', onAbort);
    const isOver = () => this.#stopped || signal?.aborted;
    while (!isOver() && (this.#waiting !== undefined || this.#inFlight >= this.limit())) {
      await new Promise<void>((resolve) => this.#room.push(resolve));
    }
    signal?.removeEventListener('abort', onAbort);
  }

  /** Resolves when nothing is on its way and nothing waits. */
  async settled(): Promise<void> {
    while (this.#inFlight > 0 || this.#waiting) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** The limit may have grown. */
  poke(): void {
    this.#start();
  }

  /** Drops the picture that waits: those to come are others. */
  clear(): void {
    if (this.#waiting) this.#superseded++;
    this.#waiting = undefined;
    this.#start();
  }

  /** Takes no more pictures; the one that waits is dropped. */
  stop(): void {
    this.#stopped = true;
    if (this.#waiting) this.#superseded++;
    this.#waiting = undefined;
    wake(this.#room);
    if (this.#inFlight === 0) wake(this.#idle);
  }

  #start(): void {
    while (this.#waiting && this.#inFlight < this.limit()) {
      const { picture, since } = this.#waiting;
      this.#waiting = undefined;
      if (performance.now() - since > this.lateAfterMs()) {
        this.#late++;
        continue;
      }
      this.#inFlight++;
      void this.fly(picture, since).finally(() => {
        this.#inFlight--;
        this.#start();
        if (this.#inFlight === 0 && !this.#waiting) wake(this.#idle);
      });
    }
    if (!this.#waiting && this.#inFlight < this.limit()) wake(this.#room);
    if (!this.#waiting && this.#inFlight === 0) wake(this.#idle);
  }
}

function wake(waiting: (() => void)[]): void {
  for (const resolve of waiting.splice(0)) resolve();
}
