import type { Delivery } from '../../platform/mqtt.js';
import { defaultRetry, retryDelays } from '../../platform/retry.js';
import type { StoredRecord } from './record.js';
import type { ResultStore } from './store.js';

/**
 * At most so many, and so many bytes, are on their way unacknowledged: a live frame never waits for more. On a link of half
 * a second that is 64 a second: more than a device makes, or it would never catch up.
 */
const WINDOW = 32;
const WINDOW_BYTES = 64 * 1024;
/** Time from one message to the next, ms, and how much of it may be caught up: a fleet must not flood its broker. */
const PACE_MS = 5;
const CATCH_UP_MS = 50;
/** A message that the broker refused so often is given up: too large for it, or not allowed. */
const REFUSALS = 4;
/** How often it is looked whether a live message has left, ms. */
const BUSY_MS = 10;
/** By then whoever was there before has connected again, ms. */
const AUDIENCE_PATIENCE_MS = defaultRetry.longest * (1 + defaultRetry.jitter / 2);

export interface ReplayTarget {
  readonly connected: boolean;
  /** Whether a live message still waits in the socket. */
  readonly busy: boolean;
  /** How many more messages the broker takes before it has acknowledged one. */
  readonly room: number;
  deliver(payload: Uint8Array): Promise<Delivery>;
  /** Resolves when an edge is there to hear it, at the latest after so many ms. */
  audience(timeoutMs: number): Promise<unknown>;
}

/** Publishes what a store keeps, in order, when the broker is back; each goes once the broker has acknowledged it. */
export class Replay {
  #running = false;
  #connections = 0;
  /** The connection that an audience was waited for on. */
  #heardOn = 0;
  #since: number | undefined;
  /** performance.now() at which the last message was to go. */
  #due = 0;
  #closed = false;
  /** Sequence up to which everything kept is on its way over this connection. */
  #sentUpTo = 0;
  /** The message that was refused last, and how often in a row. */
  readonly #refused = { sequence: 0, times: 0 };

  /** @param givenUp told of each message that the broker refuses for good */
  constructor(
    readonly store: ResultStore,
    readonly target: ReplayTarget,
    readonly givenUp: () => void,
  ) {}

  /** performance.now() when what is kept began to be published over this connection; undefined before. */
  get since(): number | undefined {
    return this.#since;
  }

  /** Whether all that is kept is on its way: what is published now comes behind it. */
  get caughtUp(): boolean {
    return this.store.empty || (this.store.settled && this.#sentUpTo >= this.store.end);
  }

  /** The broker is there. */
  connected(): void {
    this.#connections++;
    this.#since = undefined;
    this.#sentUpTo = 0;
    this.wake();
  }

  /** There may be something to publish. */
  wake(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#run();
  }

  close(): void {
    this.#closed = true;
  }

  get #possible(): boolean {
    return !this.#closed && this.target.connected && !this.store.empty;
  }

  /** Never rejects: neither does what it calls. */
  async #run(): Promise<void> {
    let delays = retryDelays();
    while (this.#possible) {
      const connection = this.#connections;
      if (this.#heardOn !== connection) {
        await this.target.audience(AUDIENCE_PATIENCE_MS);
        if (connection === this.#connections) this.#heardOn = connection;
        continue;
      }
      this.#since ??= performance.now();
      const delivered = await this.#pass();
      this.#sentUpTo = 0;
      if (delivered > 0) delays = retryDelays();
      else if (this.#possible) await pause(delays.next().value);
    }
    this.#since = undefined;
    this.#running = false;
  }

  /**
   * Publishes until nothing is kept, or until one is not acknowledged: it comes again then, and all behind it. One that was
   * refused comes alone, and is given up in the end.
   * @returns how many are done with
   */
  async #pass(): Promise<number> {
    let done = 0;
    const sent: { record: StoredRecord; delivery: Promise<Delivery> }[] = [];
    let last = 0;
    let bytes = 0;
    for (;;) {
      while (this.#possible && (sent.length === 0 || this.#mayFollow(sent.length, bytes))) {
        const record = await this.store.next(last);
        if (!record) break;
        await this.#turn();
        last = record.sequence;
        bytes += record.payload.length;
        this.#sentUpTo = last;
        sent.push({ record, delivery: this.target.deliver(record.payload) });
      }
      const first = sent.shift();
      if (!first) return done;
      const { sequence, payload } = first.record;
      const delivery = await first.delivery;
      if (delivery === 'refused' && this.#refusedAgain(sequence) >= REFUSALS) this.givenUp();
      else if (delivery !== 'acknowledged') return done;
      this.#refused.times = 0;
      bytes -= payload.length;
      done++;
      await this.store.remove(sequence);
    }
  }

  #mayFollow(sent: number, bytes: number): boolean {
    return this.#refused.times === 0 && sent < WINDOW && bytes < WINDOW_BYTES && this.target.room > 0;
  }

  /** @returns how often in a row */
  #refusedAgain(sequence: number): number {
    if (this.#refused.sequence !== sequence) this.#refused.times = 0;
    this.#refused.sequence = sequence;
    return ++this.#refused.times;
  }

  /** Live messages go first. */
  async #turn(): Promise<void> {
    const now = performance.now();
    this.#due = Math.max(this.#due + PACE_MS, now - CATCH_UP_MS);
    if (this.#due > now) await pause(this.#due - now);
    while (this.target.connected && this.target.busy) await pause(BUSY_MS);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
