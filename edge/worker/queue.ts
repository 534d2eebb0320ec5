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

interface Waiting<T> {
  item: T;
  cost: number;
}

interface Line<T> {
  items: Waiting<T>[];
  /** Where the device stands: what was spent on it, on the common scale. The least is served next. */
  turn: number;
}

/**
 * A bounded queue that is fair between devices in what they cost, not in how many they send (start-time fair queueing):
 * each device has a short line of its own and pays for what is taken from it; who has paid least is next. Silence earns
 * no credit. In a full line the newest wins and the oldest leaves; where the work that waits is more than there is time
 * for, whoever would be served last loses one. Whatever leaves is handed to `onDrop`: nothing is lost unseen.
 */
export class FairQueue<T extends Queued> {
  readonly #lines = new Map<string, Line<T>>();
  /** What devices without anything waiting have paid, as long as that is more than the scale's present. */
  readonly #paid = new Map<string, number>();
  /** The scale's present: the turn of who was served last. */
  #now = 0;
  #size = 0;
  #bytes = 0;
  #work = 0;

  /** @param costOf what an item will cost, ms; asked when it comes */
  constructor(
    readonly limits: QueueLimits,
    readonly onDrop: (item: T) => void,
    readonly costOf: (item: T) => number = () => 1,
  ) {}

  /** Items that wait. */
  get size(): number {
    return this.#size;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What all that waits will cost, ms. */
  get work(): number {
    return this.#work;
  }

  /**
   * Puts an item at the end of its device's line; may drop an older one of that device, one of a device that had more
   * than its share, or the item itself.
   * @param within work that may wait in all, this item's included, ms; a single item may wait in any case
   */
  push(item: T, within = Number.POSITIVE_INFINITY): void {
    const { depth, devices, bytes } = this.limits;
    const { device } = item;
    const line = this.#lines.get(device);
    if (line !== undefined && line.items.length >= depth) this.onDrop(this.#shift(device, line));
    if (this.#bytes + item.bytes > bytes || (!this.#lines.has(device) && this.#lines.size >= devices)) {
      this.onDrop(item);
      return;
    }
    const waiting = { item, cost: this.costOf(item) };
    const open = this.#lines.get(device);
    if (open === undefined) {
      this.#lines.set(device, { items: [waiting], turn: Math.max(this.#now, this.#paid.get(device) ?? 0) });
      this.#paid.delete(device);
    } else {
      open.items.push(waiting);
    }
    this.#size++;
    this.#bytes += item.bytes;
    this.#work += waiting.cost;
    while (this.#work > within && this.#size > 1) this.#dropLast();
  }

  /** The item that is next in turn, of those that are ready; and how many devices wait with an item of the same key. */
  peek(key: (item: T) => string, ready: (item: T) => boolean = () => true): { item: T; alike: number } | undefined {
    const first = this.#first(ready);
    if (first === undefined) return undefined;
    const wanted = key(first);
    let alike = 0;
    for (const { items } of this.#lines.values()) if (key(items[0].item) === wanted) alike++;
    return { item: first, alike };
  }

  /**
   * Takes the next item in turn and, up to `max`, the first items of the following lines that have the same key.
   * @param key items with equal keys can share a batch
   * @param ready lines whose first item is not ready are passed over and keep their turn
   * @returns empty when nothing waits that is ready
   */
  take(max: number, key: (item: T) => string, ready: (item: T) => boolean = () => true): T[] {
    const first = this.#first(ready);
    if (first === undefined) return [];
    const wanted = key(first);
    const alike = [...this.#lines].filter(([, { items }]) => key(items[0].item) === wanted);
    // A stable sort: among equals, who waits for longest.
    alike.sort(([, a], [, b]) => a.turn - b.turn);
    this.#now = Math.max(this.#now, alike[0][1].turn);
    const batch = alike.slice(0, max).map(([device, line]) => this.#serve(device, line));
    if (this.#paid.size > this.limits.devices) this.#forget();
    return batch;
  }

  /** Whether something waits for which `test` holds. */
  some(test: (item: T) => boolean): boolean {
    for (const { items } of this.#lines.values()) if (items.some(({ item }) => test(item))) return true;
    return false;
  }

  /** Hands everything that waits to `onDrop`. */
  clear(): void {
    for (const [device, line] of [...this.#lines]) {
      while (line.items.length > 0) this.onDrop(this.#shift(device, line));
    }
  }

  #first(ready: (item: T) => boolean): T | undefined {
    let first: Line<T> | undefined;
    for (const line of this.#lines.values()) {
      if ((first === undefined || line.turn < first.turn) && ready(line.items[0].item)) first = line;
    }
    return first?.items[0].item;
  }

  #serve(device: string, line: Line<T>): T {
    line.turn += line.items[0].cost;
    const item = this.#shift(device, line);
    if (line.items.length > 0) {
      // Behind others of the same turn.
      this.#lines.delete(device);
      this.#lines.set(device, line);
    }
    return item;
  }

  /** The oldest item of the line whose last item would be served last. */
  #dropLast(): void {
    let last: [string, Line<T>] | undefined;
    let latest = Number.NEGATIVE_INFINITY;
    for (const entry of this.#lines) {
      const { turn, items } = entry[1];
      const ends = items.reduce((sum, { cost }) => sum + cost, turn);
      if (ends < latest) continue;
      latest = ends;
      last = entry;
    }
    if (last) this.onDrop(this.#shift(...last));
  }

  #shift(device: string, line: Line<T>): T {
    const { item, cost } = line.items.shift() as Waiting<T>;
    if (line.items.length === 0) {
      this.#lines.delete(device);
      if (line.turn > this.#now) this.#paid.set(device, line.turn);
    }
    this.#size--;
    this.#bytes -= item.bytes;
    // Sums of fractions drift; an empty queue has no work.
    this.#work = this.#size === 0 ? 0 : this.#work - cost;
    return item;
  }

  /** Debts that the present has overtaken; and of the rest the oldest, so that names cost no memory. */
  #forget(): void {
    for (const [device, turn] of this.#paid) if (turn <= this.#now) this.#paid.delete(device);
    for (const device of this.#paid.keys()) {
      if (this.#paid.size <= this.limits.devices) return;
      this.#paid.delete(device);
    }
  }
}
