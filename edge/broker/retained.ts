/** Of one message, and of all. */
const LARGEST = 256 * 1024;
const ALL_BYTES = 64 * 1024 * 1024;

/** Counts what a broker keeps, so that it cannot be filled. */
export class Retained {
  readonly #sizes = new Map<string, number>();
  #bytes = 0;

  constructor(readonly most: number) {}

  /** @param bytes 0 removes what is kept @returns false, and nothing counted, when there is no room */
  keep(topic: string, bytes: number): boolean {
    const before = this.#sizes.get(topic);
    const after = this.#bytes - (before ?? 0) + bytes;
    if (bytes > LARGEST || after > ALL_BYTES) return false;
    if (before === undefined && bytes > 0 && this.#sizes.size >= this.most) return false;
    this.#bytes = after;
    if (bytes === 0) this.#sizes.delete(topic);
    else this.#sizes.set(topic, bytes);
    return true;
  }
}
