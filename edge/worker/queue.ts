/** What the queue needs to know of an item. */
export interface Queued {
  device: string;
  bytes: number;
}

export interface QueueLimits {
  /** Items of one device that wait, at most. */
  depth: number;
  /** Devices with something waiting, at most. */
  devices: number;
  /** Bytes that wait, at most, of all devices together. */
  bytes: number;
}

/**
 * A bounded queue that is fair between devices: each has its own short line, and the lines take turns, so a device that
 * sends a lot waits for itself. In a full line the newest wins and the oldest leaves. Whatever leaves is handed to
 * `onDrop`: nothing is lost unseen.
 */
export class FairQueue<T extends Queued> {
  /** A Map keeps insertion order: the first line is the next to be served. */
  readonly #lines = new Map<string, T[]>();
  #size = 0;
  #bytes = 0;

  constructor(
    readonly limits: QueueLimits,
    readonly onDrop: (item: T) => void,
  ) {}

  /** Items that wait. */
  get size(): number {
    return this.#size;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Puts an item at the end of its device's line; may drop an older one of that device, or the item itself. */
  push(item: T): void {
    const line = this.#lines.get(item.device);
    if (line !== undefined && line.length >= this.limits.depth) this.onDrop(this.#shift(item.device, line));
    const full =
      this.#bytes + item.bytes > this.limits.bytes ||
      (!this.#lines.has(item.device) && this.#lines.size >= this.limits.devices);
    if (full) {
      this.onDrop(item);
      return;
    }
    const open = this.#lines.get(item.device);
    if (open === undefined) this.#lines.set(item.device, [item]);
    else open.push(item);
    this.#size++;
    this.#bytes += item.bytes;
  }

  /**
   * Takes the next item in turn and, up to `max`, the first items of the following lines that have the same key.
   * @param key items with equal keys can share a batch
   * @param ready lines whose first item is not ready are passed over and keep their turn
   * @returns empty when nothing waits that is ready
   */
  take(max: number, key: (item: T) => string, ready: (item: T) => boolean = () => true): T[] {
    const batch: T[] = [];
    let wanted: string | undefined;
    for (const [device, line] of [...this.#lines]) {
      if (batch.length >= max) break;
      if (wanted === undefined && ready(line[0])) wanted = key(line[0]);
      if (key(line[0]) !== wanted) continue;
      batch.push(this.#shift(device, line));
      // Served: to the end of the turn order.
      if (line.length > 0) {
        this.#lines.delete(device);
        this.#lines.set(device, line);
      }
    }
    return batch;
  }

  /** Hands everything that waits to `onDrop`. */
  clear(): void {
    for (const [device, line] of [...this.#lines]) {
      while (line.length > 0) this.onDrop(this.#shift(device, line));
    }
  }

  #shift(device: string, line: T[]): T {
    const item = line.shift() as T;
    if (line.length === 0) this.#lines.delete(device);
    this.#size--;
    this.#bytes -= item.bytes;
    return item;
  }
}
