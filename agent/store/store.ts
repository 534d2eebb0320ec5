import { mkdir } from 'node:fs/promises';
import { Seldom } from '../../platform/log/seldom.js';
import type { Log } from '../../platform/log.js';
import { readPosition, syncFolder, writePosition } from './position.js';
import { encodeRecord, RECORD_HEADER_BYTES, type StoredRecord } from './record.js';
import { Segment } from './segment.js';

/** How long what was written may be in the system's memory alone, ms: an SD card should not be asked more often. */
const SYNC_MS = 1000;
/** So many removals are written down at the latest: as many may come again after a power cut. */
const POSITION_EVERY = 16;
const SEGMENT_MAX_BYTES = 2 ** 20;
/** A full store loses one part in so many at a time. */
const SEGMENTS = 16;
/** Of all bytes, for the position and its next version. */
const POSITION_BYTES = 4096;
/** What may wait to be written while the disk is slow. */
const APPENDING_MAX_BYTES = 2 ** 20;
/** Sequences that are passed over where the end of what is kept cannot be read: more than were ever counted there. */
const UNREAD_SEQUENCES = 2 ** 28;

/** Why a kept message was lost. */
export type StoreLoss = 'store_full' | 'store_failed' | 'store_damaged';

/**
 * Messages in order on the disk, bounded: first in, first out. Append-only segments; a power cut loses what was not on the
 * disk yet (a second at most) and damages nothing before it. Nothing here throws or rejects: what is lost is told, and
 * counted by cause.
 */
export class ResultStore {
  readonly #segments: Segment[] = [];
  readonly #maxBytes: number;
  readonly #segmentBytes: number;
  /**
   * Sequence of the last record that was removed, as on the disk, and of the last that was appended. While a file could not
   * be read, the one on the disk stays before it.
   */
  #position = 0;
  #writtenPosition = 0;
  #sequence = 0;
  #numbers = 0;
  #opened = false;
  #failing = false;
  #appending = 0;
  #appendingBytes = 0;
  #ahead: { segment: Segment; records: StoredRecord[]; bytes: number } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  readonly #seldom = new Seldom();
  /** One thing after the other. */
  #last: Promise<unknown>;

  /**
   * @param folder made when it is not there; of this store alone
   * @param maxBytes of all files together
   * @param lost told of messages that are gone
   */
  constructor(
    readonly folder: string,
    maxBytes: number,
    readonly lost: (cause: StoreLoss, count: number) => void,
    readonly log: Log,
  ) {
    this.#maxBytes = maxBytes - POSITION_BYTES;
    this.#segmentBytes = Math.min(SEGMENT_MAX_BYTES, Math.floor(this.#maxBytes / SEGMENTS));
    this.#appending++;
    this.#last = this.#open()
      .catch((error) => this.#failed(0, error))
      .finally(() => this.#appending--);
  }

  /** Whether nothing is kept and nothing is being kept. False until the folder was read. */
  get empty(): boolean {
    return this.settled && this.waiting === 0;
  }

  /** Whether nothing is being kept right now. False until the folder was read. */
  get settled(): boolean {
    return this.#appending === 0;
  }

  /** Sequence of the newest message that is kept; 0 without any. */
  get end(): number {
    return this.#segments.findLast(({ waiting }) => waiting > 0)?.last ?? 0;
  }

  /** Messages that are kept. */
  get waiting(): number {
    return this.#segments.reduce((sum, { waiting }) => sum + waiting, 0);
  }

  /** Keeps a message, after all that were kept before. @param payload UTF-8 text */
  append(payload: Uint8Array): Promise<void> {
    const bytes = RECORD_HEADER_BYTES + payload.length;
    if (this.#closed || bytes > this.#maxBytes || this.#appendingBytes + bytes > APPENDING_MAX_BYTES) {
      this.#failed(1, new Error(this.#closed ? 'the store is closed' : 'the disk is too slow for what is to be kept'));
      return Promise.resolve();
    }
    this.#appending++;
    this.#appendingBytes += bytes;
    return this.#then(async () => {
      try {
        await this.#append(payload);
        if (this.#failing) this.log.info('results can be kept again', { folder: this.folder });
        this.#failing = false;
      } catch (error) {
        this.#failed(1, error);
      } finally {
        this.#appending--;
        this.#appendingBytes -= bytes;
      }
    });
  }

  /** The oldest message whose sequence is higher, or undefined. It stays until it is removed. */
  async next(after: number): Promise<StoredRecord | undefined> {
    let found: StoredRecord | undefined;
    await this.#then(async () => {
      for (const segment of [...this.#segments]) {
        if (segment.waiting === 0 || segment.last <= after) continue;
        found = (await this.#load(segment)).find(({ sequence }) => sequence > after);
        if (found) return;
      }
    });
    return found;
  }

  /** Removes the oldest message. @param sequence its own */
  remove(sequence: number): Promise<void> {
    return this.#then(async () => {
      if (sequence <= this.#position) return;
      this.#position = sequence;
      const segment = this.#segments.find(({ last }) => last >= sequence);
      if (segment && segment.first <= sequence && segment.unread === 0) segment.waiting--;
      try {
        await this.#dropEmpty();
        if (this.#position - this.#writtenPosition >= POSITION_EVERY) await this.#writePosition();
      } catch (error) {
        this.#failed(0, error);
      }
      this.#later();
    });
  }

  /** Has everything on the disk, and ends. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#then(async () => {
      await this.#sync();
      for (const segment of this.#segments) await segment.close().catch((error) => this.#failed(0, error));
    });
  }

  #then(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work).catch((error) => this.#failed(0, error));
    this.#last = done;
    return done;
  }

  /** Reads what an earlier start left. @throws what the file system throws */
  async #open(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    const numbers = await Segment.numbersIn(this.folder);
    const position = await readPosition(this.folder);
    const segments: Segment[] = [];
    let last = -1;
    let damaged = 0;
    let passedOver = 0;
    for (const number of numbers) {
      const segment = new Segment(this.folder, number);
      segments.push(segment);
      damaged += await segment.recall(position, last).catch((error: unknown) => this.#unreadable(segment, error));
      if (segment.unread > 0) passedOver = UNREAD_SEQUENCES;
      else if (segment.last > last) passedOver = 0;
      last = Math.max(last, segment.last);
    }
    await segments.at(-1)?.cut();
    this.#position = position;
    this.#writtenPosition = position;
    this.#sequence = Math.max(this.#sequence, position, last) + passedOver;
    this.#numbers = numbers.at(-1) ?? 0;
    this.#segments.push(...segments);
    this.#opened = true;
    if (damaged > 0) this.#damaged(damaged);
    await this.#dropEmpty();
    if (this.waiting > 0) this.log.info('results of an earlier start are kept', { results: this.waiting });
  }

  async #append(payload: Uint8Array): Promise<void> {
    if (!this.#opened) await this.#open();
    const sequence = ++this.#sequence;
    const record = encodeRecord(sequence, payload);
    await this.#makeRoom(record.length);
    let segment = this.#segments.at(-1);
    if (!segment || segment.unread > 0 || segment.bytes + record.length > this.#segmentBytes) {
      await segment?.sync();
      await segment?.close();
      segment = new Segment(this.folder, ++this.#numbers);
      try {
        await segment.append(record, sequence);
        await syncFolder(this.folder);
      } catch (error) {
        await segment.remove().catch(() => {});
        throw error;
      }
      this.#segments.push(segment);
    } else {
      await segment.append(record, sequence);
    }
    this.#later();
  }

  async #makeRoom(bytes: number): Promise<void> {
    let used = this.#segments.reduce((sum, segment) => sum + segment.bytes, bytes);
    while (used > this.#maxBytes) {
      const [oldest] = this.#segments;
      const { waiting, unread } = oldest;
      await oldest.remove();
      this.#segments.shift();
      used -= oldest.bytes;
      this.lost('store_full', waiting + unread);
      if (this.#seldom.now('full')) this.log.warn('no room for more results: the oldest go', { folder: this.folder });
    }
  }

  /** Segments of which everything was removed. */
  async #dropEmpty(): Promise<void> {
    for (const segment of this.#segments.filter(({ waiting, unread }) => waiting === 0 && unread === 0)) {
      await segment.remove();
      this.#segments.splice(this.#segments.indexOf(segment), 1);
    }
  }

  /** What a segment holds; what is damaged is counted. */
  async #load(segment: Segment): Promise<StoredRecord[]> {
    if (this.#ahead?.segment === segment && this.#ahead.bytes === segment.bytes) {
      const { records } = this.#ahead;
      while (records.length > 0 && records[0].sequence <= this.#position) records.shift();
      return records;
    }
    const records = await segment.read(this.#position).catch(async (error: unknown) => {
      await this.#unreadable(segment, error);
      return [];
    });
    if (segment.unread > 0) return [];
    if (records.length < segment.waiting) this.#damaged(segment.waiting - records.length);
    segment.waiting = records.length;
    this.#ahead = { segment, records, bytes: segment.bytes };
    if (records.length === 0) await this.#dropEmpty();
    return records;
  }

  #later(): void {
    if (this.#closed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#then(() => this.#sync());
    }, SYNC_MS).unref();
  }

  async #sync(): Promise<void> {
    try {
      await this.#segments.at(-1)?.sync();
      if (this.#position !== this.#writtenPosition) await this.#writePosition();
    } catch (error) {
      this.#failed(0, error);
    }
  }

  async #writePosition(): Promise<void> {
    if (this.#segments.some(({ unread }) => unread > 0)) return;
    await writePosition(this.folder, this.#position);
    this.#writtenPosition = this.#position;
  }

  /**
   * No more files open, no right, a bad sector: nothing is known of what the file holds, so it stays.
   * @returns at least so many are gone: 1 when the file is
   */
  async #unreadable(segment: Segment, error: unknown): Promise<number> {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 1;
    await segment.leave();
    const hint = 'It stays as it is; the next start tries again.';
    if (this.#seldom.now('unread')) this.log.warn('kept results cannot be read', { file: segment.file, error, hint });
    return 0;
  }

  #damaged(count: number): void {
    this.lost('store_damaged', count);
    this.log.warn('kept results are damaged and left out', { folder: this.folder, results: count });
  }

  /** Said once; the store goes on trying. */
  #failed(count: number, error: unknown): void {
    if (count > 0) this.lost('store_failed', count);
    if (this.#failing) return;
    this.#failing = true;
    const hint = 'Results that the broker does not take are lost, and counted, until it can be written.';
    this.log.warn('results cannot be kept', { folder: this.folder, error, hint });
  }
}
