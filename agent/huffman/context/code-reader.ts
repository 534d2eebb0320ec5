import { reversedCodes } from '../canonical.js';
import { HuffmanError } from '../errors.js';
import { MAX_CODE_BITS } from '../lengths.js';

const INDEX_BITS = 10;

/** Reads symbols of many tables from one payload. */
export class CodeReader {
  /** Next bit. */
  bit = 0;
  private endBit = 0;
  private view: DataView = new DataView(new ArrayBuffer(16));
  /** `[table << INDEX_BITS | bits]`: symbol | length << 8; 0 if the code is longer. */
  private readonly entries: Uint16Array;
  /** `[table]`: longer codes, as `reversed code | length << 16`, and their symbols. */
  private readonly longCodes: Uint32Array[] = [];
  private readonly longSymbols: Uint8Array[] = [];
  /** Tables of one symbol, which takes no bits. */
  private readonly free: Uint8Array;

  constructor(tables: Uint8Array[]) {
    this.entries = new Uint16Array(tables.length << INDEX_BITS);
    this.free = Uint8Array.from(tables, (lengths) => (lengths.length === 1 ? 1 : 0));
    tables.forEach((lengths, table) => {
      const codes = reversedCodes(lengths);
      const long: number[] = [];
      lengths.forEach((length, symbol) => {
        if (length > INDEX_BITS) long.push(symbol);
        else if (length > 0) {
          for (let i = codes[symbol]; i < 1 << INDEX_BITS; i += 1 << length) {
            this.entries[(table << INDEX_BITS) | i] = symbol | (length << 8);
          }
        }
      });
      this.longSymbols.push(Uint8Array.from(long));
      this.longCodes.push(Uint32Array.from(long, (symbol) => codes[symbol] | (lengths[symbol] << 16)));
    });
  }

  /**
   * Starts on a payload.
   * @param view holds the payload from byte 0, and 16 bytes more that may be read but mean nothing
   */
  begin(view: DataView, bytes: number): void {
    this.view = view;
    this.bit = 0;
    this.endBit = bytes * 8;
  }

  /** @throws HuffmanError `truncated` */
  symbol(table: number): number {
    const window = this.view.getUint32(this.bit >>> 3, true) >>> (this.bit & 7);
    const entry = this.entries[(table << INDEX_BITS) | (window & ((1 << INDEX_BITS) - 1))];
    if (entry === 0) return this.long(table, window);
    this.bit += entry >>> 8;
    if (this.bit > this.endBit) throw truncated();
    return entry & 255;
  }

  /**
   * Plain bits, up to 24.
   * @throws HuffmanError `truncated`
   */
  bits(count: number): number {
    const window = this.view.getUint32(this.bit >>> 3, true) >>> (this.bit & 7);
    this.bit += count;
    if (this.bit > this.endBit) throw truncated();
    return window & ((1 << count) - 1);
  }

  private long(table: number, window: number): number {
    if (this.free[table] !== 0) return 0;
    const codes = this.longCodes[table];
    for (let i = 0; i < codes.length; i++) {
      const length = codes[i] >>> 16;
      if ((window & ((1 << length) - 1)) !== (codes[i] & 0xffff)) continue;
      this.bit += length;
      if (this.bit > this.endBit) throw truncated();
      return this.longSymbols[table][i];
    }
    // Not reached: the tables are complete codes of at most MAX_CODE_BITS.
    throw new HuffmanError('corrupt', `no symbol has this code of up to ${MAX_CODE_BITS} bits`);
  }
}

function truncated(): HuffmanError {
  return new HuffmanError('truncated', 'the payload ends too early');
}
