import { mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';

const NAME = /^([A-Za-z0-9_-]{1,64})\.jpg$/;
const PART = /\.part$/;
/** Files looked at before other work gets its turn. */
const STRIDE = 200;

/** A picture that is kept. */
interface Kept {
  bytes: number;
  at: number;
}

/**
 * Snapshots of events, one JPEG file each, named by its event. Written whole or not at all; bounded in size: beyond it the
 * oldest make room.
 */
export class Pictures {
  /** By event, the oldest first. */
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    readonly folder: string,
    public maxBytes: number,
  ) {}

  /** Opens a folder: removes what was half written, and learns what is there. @throws of the file system */
  static async open(folder: string, maxBytes: number): Promise<Pictures> {
    await mkdir(folder, { recursive: true });
    const pictures = new Pictures(folder, maxBytes);
    const found: [string, Kept][] = [];
    for (const name of await readdir(folder)) {
      const file = join(folder, name);
      if (PART.test(name)) await unlink(file).catch(ignoreMissing);
      const [, event] = NAME.exec(name) ?? [];
      if (event === undefined) continue;
      const { size, mtimeMs } = await stat(file);
      found.push([event, { bytes: size, at: mtimeMs }]);
    }
    for (const [event, kept] of found.sort((a, b) => a[1].at - b[1].at)) pictures.#note(event, kept);
    await pictures.#makeRoom();
    return pictures;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#kept.size;
  }

  has(event: string): boolean {
    return this.#kept.has(event);
  }

  /** Keeps a picture, in the place of an earlier one of the same event. @throws of the file system */
  save(event: string, data: Uint8Array, at = Date.now()): Promise<void> {
    return this.#inTurn(async () => {
      const file = this.#file(event);
      const part = `${file}.part`;
      const handle = await open(part, 'w', 0o640);
      try {
        await handle.writeFile(data);
      } catch (error) {
        await handle.close();
        await unlink(part).catch(ignoreMissing);
        throw error;
      }
      await handle.close();
      await rename(part, file);
      this.#note(event, { bytes: data.length, at });
      await this.#makeRoom();
    });
  }

  /** @returns undefined if there is none */
  async read(event: string): Promise<Buffer | undefined> {
    if (!this.#kept.has(event)) return undefined;
    return readFile(this.#file(event)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      this.#forget(event);
      return undefined;
    });
  }

  /** Removes the oldest until the others fit, and all taken before `since`. @returns how many */
  prune(maxBytes: number, since: number): Promise<number> {
    this.maxBytes = maxBytes;
    return this.#inTurn(async () => {
      const before = this.#kept.size;
      for (const [event, { at }] of this.#kept) {
        if (at >= since) break;
        await this.#remove(event);
      }
      await this.#makeRoom();
      return before - this.#kept.size;
    });
  }

  /** Removes pictures of events that are no longer known. @param known which of these events are @returns how many */
  async removeOrphans(known: (events: readonly string[]) => Promise<ReadonlySet<string>>): Promise<number> {
    const all = [...this.#kept.keys()];
    let removed = 0;
    for (let i = 0; i < all.length; i += STRIDE) {
      const some = all.slice(i, i + STRIDE);
      const there = await known(some);
      for (const event of some) {
        if (there.has(event)) continue;
        await this.#inTurn(() => this.#remove(event));
        removed++;
      }
    }
    return removed;
  }

  /** Ends when what was begun is done. */
  async close(): Promise<void> {
    await this.#last.catch(() => {});
  }

  #file(event: string): string {
    return join(this.folder, `${event}.jpg`);
  }

  #note(event: string, kept: Kept): void {
    this.#forget(event);
    this.#kept.set(event, kept);
    this.#bytes += kept.bytes;
  }

  #forget(event: string): void {
    this.#bytes -= this.#kept.get(event)?.bytes ?? 0;
    this.#kept.delete(event);
  }

  async #makeRoom(): Promise<void> {
    for (const event of this.#kept.keys()) {
      if (this.#bytes <= this.maxBytes) return;
      await this.#remove(event);
    }
  }

  async #remove(event: string): Promise<void> {
    await unlink(this.#file(event)).catch(ignoreMissing);
    this.#forget(event);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => {});
    return turn;
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
