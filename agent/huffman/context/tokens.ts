/** The token of a plain sign bit: it has no table. */
export const RAW = 0xffff;

/**
 * A frame as tokens, in the order in which a decoder asks for them. A run's token stands where the run begins though
 * its length is known only later: its place is kept, and filled in when the run ends.
 */
export class TokenList {
  /** `table << 8 | symbol`, or RAW. */
  ids = new Uint16Array(1024);
  /** `extra bits << 24 | their value`. */
  extras = new Uint32Array(1024);
  length = 0;

  /** Makes room for `more` tokens. */
  reserve(more: number): void {
    if (this.length + more <= this.ids.length) return;
    const size = Math.max(this.length + more, this.ids.length * 2);
    const ids = new Uint16Array(size);
    const extras = new Uint32Array(size);
    ids.set(this.ids);
    extras.set(this.extras);
    this.ids = ids;
    this.extras = extras;
  }
}
