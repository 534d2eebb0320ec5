import { reversedCodes } from './canonical.js';
import { HuffmanError } from './errors.js';

/** Largest pair tables, in entries; beyond it symbols are coded one by one. */
const MAX_PAIR_ENTRIES = 1 << 18;
/** Longest pair of codes that is written in one step: with 7 bits left over it fits 31. */
const MAX_STEP_BITS = 24;
const CODE_MASK = (1 << MAX_STEP_BITS) - 1;

/** Codes symbols with one table per channel, the tables taken in turn; two or four symbols per step. */
export class PlainEncoder {
  /** `code | length << 24` for each table and symbol; 0 where there is no such symbol. */
  private readonly singles: Uint32Array;
  /** The same for two symbols in a row, indexed by `first | second << shift`; 0 where they take more than 24 bits. */
  private readonly pairs: Uint32Array | undefined;
  private readonly shift: number;
  private readonly free: boolean;
  private position = 0;
  private accumulator = 0;
  private bits = 0;

  constructor(tables: Uint8Array[]) {
    const levels = tables[0].length;
    this.free = levels === 1;
    this.shift = Math.max(1, 32 - Math.clz32(levels - 1));
    this.singles = new Uint32Array(tables.length << this.shift);
    tables.forEach((lengths, table) => {
      const codes = reversedCodes(lengths);
      lengths.forEach((length, symbol) => {
        this.singles[(table << this.shift) | symbol] = codes[symbol] | (length << MAX_STEP_BITS);
      });
    });
    this.pairs = this.pairUp(tables.length, levels);
  }

  private pairUp(count: number, levels: number): Uint32Array | undefined {
    const { shift, singles } = this;
    const cycle = count % 2 === 0 ? count / 2 : count;
    if (cycle * 2 ** (2 * shift) > MAX_PAIR_ENTRIES) return undefined;
    const pairs = new Uint32Array(cycle << (2 * shift));
    for (let pair = 0; pair < cycle; pair++) {
      const firsts = ((2 * pair) % count) << shift;
      const seconds = ((2 * pair + 1) % count) << shift;
      for (let b = 0; b < levels; b++) {
        for (let a = 0; a < levels; a++) {
          const length = (singles[firsts + a] + (singles[seconds + b] & ~CODE_MASK)) >>> MAX_STEP_BITS;
          if (length > MAX_STEP_BITS) continue;
          const code =
            (singles[firsts + a] & CODE_MASK) |
            ((singles[seconds + b] & CODE_MASK) << (singles[firsts + a] >>> MAX_STEP_BITS));
          pairs[(pair << (2 * shift)) | a | (b << shift)] = code | (length << MAX_STEP_BITS);
        }
      }
    }
    return pairs;
  }

  /**
   * @param symbols whole positions
   * @param work takes the stream; at least 8 bytes longer than the longest payload
   * @param start the stream's first byte
   * @returns the byte after the stream
   * @throws HuffmanError `symbols` where a symbol has no code
   */
  encode(symbols: Uint8Array, work: DataView, start: number): number {
    this.position = start;
    this.accumulator = 0;
    this.bits = 0;
    if (this.free) {
      if (symbols.some((symbol) => symbol !== 0)) throw noCode();
      return start;
    }
    const done = this.pairs === undefined ? 0 : this.encodePairs(this.pairs, symbols, work);
    this.encodeSingles(symbols, done, symbols.length, work);
    work.setUint32(this.position, this.accumulator, true);
    return this.position + ((this.bits + 7) >>> 3);
  }

  /** Codes groups of four symbols; returns how many symbols that were. */
  private encodePairs(pairs: Uint32Array, symbols: Uint8Array, work: DataView): number {
    const { shift } = this;
    const size = 1 << (2 * shift);
    const end = pairs.length;
    const count = symbols.length & ~3;
    let { position, accumulator, bits } = this;
    let base = 0;
    let seen = 0;
    for (let i = 0; i < count; i += 4) {
      const a = symbols[i];
      const b = symbols[i + 1];
      const c = symbols[i + 2];
      const d = symbols[i + 3];
      seen |= a | b | c | d;
      const first = pairs[base + (a | (b << shift))];
      base = base + size === end ? 0 : base + size;
      const second = pairs[base + (c | (d << shift))];
      base = base + size === end ? 0 : base + size;
      const firstBits = first >>> MAX_STEP_BITS;
      const secondBits = second >>> MAX_STEP_BITS;
      const total = firstBits + secondBits;
      if (total <= MAX_STEP_BITS && firstBits !== 0 && secondBits !== 0) {
        accumulator |= ((first & CODE_MASK) | ((second & CODE_MASK) << firstBits)) << bits;
        work.setUint32(position, accumulator, true);
        bits += total;
        position += bits >>> 3;
        accumulator >>>= bits & 24;
        bits &= 7;
        continue;
      }
      this.position = position;
      this.accumulator = accumulator;
      this.bits = bits;
      this.encodeSingles(symbols, i, i + 4, work);
      ({ position, accumulator, bits } = this);
    }
    if (seen >>> shift !== 0) throw noCode();
    this.position = position;
    this.accumulator = accumulator;
    this.bits = bits;
    return count;
  }

  private encodeSingles(symbols: Uint8Array, from: number, to: number, work: DataView): void {
    const { singles, shift } = this;
    const end = singles.length;
    const size = 1 << shift;
    let { position, accumulator, bits } = this;
    let base = (from << shift) % end;
    for (let i = from; i < to; i++) {
      const symbol = symbols[i];
      const entry = symbol < size ? singles[base + symbol] : 0;
      if (entry === 0) throw noCode();
      accumulator |= (entry & CODE_MASK) << bits;
      work.setUint32(position, accumulator, true);
      bits += entry >>> MAX_STEP_BITS;
      position += bits >>> 3;
      accumulator >>>= bits & 24;
      bits &= 7;
      base = base + size === end ? 0 : base + size;
    }
    this.position = position;
    this.accumulator = accumulator;
    this.bits = bits;
  }
}

function noCode(): HuffmanError {
  return new HuffmanError('symbols', 'a symbol is not below the number of levels');
}
