import { type FileHandle, open, readdir, readFile, stat, truncate, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type StoredRecord, scanRecords } from './record.js';

const NAME = /^(\d{12})\.results$/;

/** A file of records, written at its end and read from its start. Methods throw what the file system throws. */
export class Segment {
  bytes = 0;
  /** Sequences of the first and the last record; without any the last is before the first. */
  first = Number.POSITIVE_INFINITY;
  last = -1;
  /** Records that are not removed yet. */
  waiting = 0;
  /** Records, at least, of a file that is there and could not be read: it is left as it is. 0: it can be read. */
  unread = 0;
  readonly file: string;
  #writer: FileHandle | undefined;
  #there = false;
  #wholeBytes = 0;

  constructor(
    folder: string,
    readonly number: number,
  ) {
    this.file = join(folder, `${String(number).padStart(12, '0')}.results`);
  }

  /** Numbers of the segments in a folder, the oldest first. */
  static async numbersIn(folder: string): Promise<number[]> {
    const entries = await readdir(folder, { withFileTypes: true });
    const digits = entries.filter((entry) => entry.isFile()).map(({ name }) => NAME.exec(name)?.[1]);
    return digits
      .filter((found) => found !== undefined)
      .map(Number)
      .sort((a, b) => a - b);
  }

  /**
   * Takes a file that is there already.
   * @param position sequence up to which records are removed
   * @param after only higher sequences are taken
   * @returns records that cannot be read, see scanRecords
   */
  async recall(position: number, after: number): Promise<number> {
    this.#there = true;
    const content = await readFile(this.file);
    const { records, damaged, end } = scanRecords(content, after);
    this.#wholeBytes = end;
    this.bytes = content.length;
    this.first = records[0]?.sequence ?? this.first;
    this.last = records.at(-1)?.sequence ?? this.last;
    this.waiting = records.filter(({ sequence }) => sequence > position).length;
    return damaged;
  }

  /** The file cannot be read now: nobody knows what is in it, and it stays for the next start. */
  async leave(): Promise<void> {
    this.unread = Math.max(1, this.waiting);
    this.waiting = 0;
    this.bytes = (await stat(this.file)).size;
  }

  /** Cuts off what a power cut left of the last record, so that the next one follows a whole one. */
  async cut(): Promise<void> {
    if (this.unread > 0 || this.#wholeBytes >= this.bytes) return;
    await truncate(this.file, this.#wholeBytes);
    this.bytes = this.#wholeBytes;
  }

  /** The records that are not removed yet. */
  async read(position: number): Promise<StoredRecord[]> {
    const { records } = scanRecords(await readFile(this.file));
    return records.filter(({ sequence }) => sequence > position && sequence <= this.last);
  }

  /** Appends a record. After a failure the file is as before, as far as the disk allows it. */
  async append(record: Buffer, sequence: number): Promise<void> {
    this.#writer ??= await open(this.file, this.#there ? 'r+' : 'wx');
    this.#there = true;
    try {
      for (let done = 0; done < record.length; ) {
        const { bytesWritten } = await this.#writer.write(record, done, record.length - done, this.bytes + done);
        done += bytesWritten;
      }
    } catch (error) {
      await this.#writer.truncate(this.bytes).catch(() => {});
      throw error;
    }
    this.bytes += record.length;
    this.first = Math.min(this.first, sequence);
    this.last = sequence;
    this.waiting++;
  }

  /** Has everything on the disk that was appended. */
  async sync(): Promise<void> {
    await this.#writer?.datasync();
  }

  async close(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    await writer?.close();
  }

  async remove(): Promise<void> {
    await this.close();
    await unlink(this.file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
}
