import type { CompiledQuery } from 'kysely';
import { Seldom } from '../../../platform/log/seldom.js';
import type { Log } from '../../../platform/log.js';
import { retryDelays } from '../../../platform/retry.js';
import { type Database, DatabaseError } from './tables.js';

/** Entries that wait, at most; then the oldest is given up. */
const DEPTH = 20_000;
/** Entries in one transaction, at most, and how long the first waits for company, ms. */
const BATCH = 500;
const COMPANY_MS = 200;
/** The last writes are given up after this, ms: an end must come to an end. */
const LAST_MS = 5000;

export interface QueueCounts {
  waiting: number;
  written: number;
  dropped: number;
  /** Why writing fails now. */
  failing?: string;
}

/**
 * What is to be written, in order, many in one transaction. Never waits and never grows without end: what is too much is
 * dropped, the oldest first, and counted. While the database fails, it is tried again and again.
 */
export class WriteQueue {
  /** By key: a newer state of the same thing takes the place of one that still waits. */
  readonly #waiting = new Map<string, readonly CompiledQuery[]>();
  readonly #seldom = new Seldom();
  #written = 0;
  #dropped = 0;
  #failing: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #delays = retryDelays();
  #closed = false;
  #key = 0;
  /** Entries in the next transaction: less after one that did not fit. */
  #most = BATCH;

  /**
   * @param onFull makes room when the database is full @param depth for tests
   */
  constructor(
    readonly database: Database,
    readonly log: Log,
    readonly onFull: () => Promise<void>,
    readonly depth = DEPTH,
  ) {}

  get counts(): QueueCounts {
    const counts = { waiting: this.#waiting.size, written: this.#written, dropped: this.#dropped };
    return this.#failing === undefined ? counts : { ...counts, failing: this.#failing };
  }

  /**
   * @param queries belong together: all are written, or none
   * @param key of the thing; without one nothing takes its place
   */
  push(queries: readonly CompiledQuery[], key = `#${this.#key++}`): void {
    if (this.#closed) return;
    this.#waiting.delete(key);
    this.#waiting.set(key, queries);
    if (this.#waiting.size > this.depth) this.#drop(this.#waiting.keys().next().value as string, 'the queue is full');
    this.#soon(COMPANY_MS);
  }

  /** Ends when everything that waits now is written, or cannot be. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#running;
    while (this.#waiting.size > 0 && (await this.#write()));
  }

  /** Writes what waits, once more, and takes nothing more. */
  async close(): Promise<void> {
    this.#closed = true;
    const late = new Promise<void>((done) => setTimeout(done, LAST_MS).unref());
    await Promise.race([this.flush(), late]);
    clearTimeout(this.#timer);
    for (const key of this.#waiting.keys()) this.#drop(key, 'the end came first');
  }

  #soon(ms: number): void {
    if (this.#running) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (!this.#running) void this.#write();
    }, ms);
  }

  /** @returns whether it went well */
  async #write(): Promise<boolean> {
    let well = true;
    this.#running = this.#batch().then((done) => {
      well = done;
    });
    await this.#running;
    this.#running = undefined;
    if (this.#waiting.size > 0 && !this.#closed) this.#soon(well ? 0 : this.#delays.next().value);
    return well;
  }

  async #batch(): Promise<boolean> {
    const batch = [...this.#waiting].slice(0, this.#most);
    // taken out while it is written: a newer state that comes meanwhile is not lost with it
    for (const [key] of batch) this.#waiting.delete(key);
    try {
      await this.database.write(batch.flatMap(([, queries]) => queries));
      this.#wrote(batch.length);
      return true;
    } catch (error) {
      if (error instanceof DatabaseError && error.lasting && batch.length === 1) {
        this.#drop(batch[0][0], error.message);
        return true;
      }
      if (error instanceof DatabaseError && error.lasting) return this.#oneByOne(batch);
      this.#putBack(batch);
      await this.#failed(error as Error);
      return false;
    }
  }

  /** One of them is at fault: the others are written. */
  async #oneByOne(batch: [string, readonly CompiledQuery[]][]): Promise<boolean> {
    for (const [i, [key, queries]] of batch.entries()) {
      try {
        await this.database.write(queries);
        this.#wrote(1);
      } catch (error) {
        if (error instanceof DatabaseError && error.lasting) {
          this.#drop(key, error.message);
          continue;
        }
        this.#putBack(batch.slice(i));
        await this.#failed(error as Error);
        return false;
      }
    }
    return true;
  }

  #wrote(count: number): void {
    this.#written += count;
    this.#most = BATCH;
    if (this.#failing !== undefined) this.log.info('the history is written again');
    this.#failing = undefined;
    this.#delays = retryDelays();
  }

  #putBack(batch: [string, readonly CompiledQuery[]][]): void {
    const since = [...this.#waiting];
    this.#waiting.clear();
    for (const [key, queries] of [...batch, ...since]) this.#waiting.set(key, queries);
    while (this.#waiting.size > this.depth) {
      this.#drop(this.#waiting.keys().next().value as string, 'the queue is full');
    }
  }

  async #failed(error: Error): Promise<void> {
    this.#failing = error.message;
    if (this.#seldom.now('write')) this.log.error('the history cannot be written; it is tried again', { error });
    if (!(error instanceof DatabaseError && error.full)) return;
    this.#most = Math.max(1, this.#most >> 1);
    await this.onFull();
  }

  #drop(key: string, why: string): void {
    this.#waiting.delete(key);
    this.#dropped++;
    if (this.#seldom.now('drop')) this.log.warn('a part of the history is given up', { why, dropped: this.#dropped });
  }
}
