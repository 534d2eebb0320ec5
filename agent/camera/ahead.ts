/**
 * Makes the next item while the last one is used: a picture is ready when its moment comes. One item ahead, no more.
 * An item that was made and not taken, because the call was aborted, is the next call's.
 */
export class Ahead<T> {
  readonly #make: () => Promise<T | null>;
  #next: Promise<T | null> | undefined;
  #left: number;

  /** @param make gives items one by one, null at the end; never called twice at a time @param most items, at most */
  constructor(make: () => Promise<T | null>, most = Number.POSITIVE_INFINITY) {
    this.#make = make;
    this.#left = most;
  }

  /** Whether there may be another. */
  get more(): boolean {
    return this.#left > 0;
  }

  /** The next item, or null at the end. Throws what making it threw, or the signal's reason. */
  async take(signal: AbortSignal): Promise<T | null> {
    if (!this.more) return null;
    this.#start();
    const item = await this.#next;
    signal.throwIfAborted();
    this.#next = undefined;
    if (item === null || item === undefined) {
      this.#left = 0;
      return null;
    }
    this.#left--;
    if (this.more) this.#start();
    return item;
  }

  /** Waits for what is being made, and makes no more. */
  async close(): Promise<void> {
    this.#left = 0;
    await this.#next?.catch(() => {});
  }

  #start(): void {
    if (this.#next) return;
    this.#next = this.#make();
    // who takes it hears of a failure; until then it is nobody's
    this.#next.catch(() => {});
  }
}
