import { HuffmanError } from './errors.js';
import { buildLookup, type Lookup, RANK_STRIDE } from './plain-lookup.js';

/** A run of symbols in a stream of bits: where both stand, and where they end. */
export interface Cursor {
  /** Next bit of the work buffer, and the end of the stream. */
  bit: number;
  endBit: number;
  /** Next symbol, and the end of the run. */
  symbol: number;
  endSymbol: number;
  /** Base index of the next symbol's table; 0 at the start of a position. */
  base: number;
}

/** Decodes symbols with one table per channel, the tables taken in turn; up to four symbols per look-up. */
export class PlainDecoder {
  private readonly lookup: Lookup;

  constructor(tables: Uint8Array[]) {
    this.lookup = buildLookup(tables);
  }

  /**
   * Decodes two streams at once: the two chains of look-ups, each of which waits for memory, then overlap.
   * @param work holds the streams, and 8 bytes more that may be read but mean nothing
   * @throws HuffmanError `truncated`
   */
  decodePair(work: DataView, a: Cursor, b: Cursor, symbols: Uint8Array): void {
    const { entries, indexBits, levels } = this.lookup;
    if (levels > 1) {
      const out = new DataView(symbols.buffer, symbols.byteOffset, symbols.byteLength);
      const mask = ((1 << indexBits) - 1) << 1;
      // A load holds 25 bits or more, enough for two look-ups of at most 12; each writes 4 symbols and keeps some.
      const fastA = a.endSymbol - 8;
      const fastB = b.endSymbol - 8;
      let { bit: bitA, symbol: i, base: baseA } = a;
      let { bit: bitB, symbol: j, base: baseB } = b;
      while (i <= fastA && j <= fastB && bitA < a.endBit && bitB < b.endBit) {
        let windowA = work.getUint32(bitA >>> 3, true) >>> (bitA & 7);
        let windowB = work.getUint32(bitB >>> 3, true) >>> (bitB & 7);
        let indexA = baseA + ((windowA << 1) & mask);
        let indexB = baseB + ((windowB << 1) & mask);
        let stepA = entries[indexA + 1];
        let stepB = entries[indexB + 1];
        if (stepA === 0 || stepB === 0) {
          a.bit = bitA;
          a.symbol = i;
          a.base = baseA;
          b.bit = bitB;
          b.symbol = j;
          b.base = baseB;
          this.one(work, stepA === 0 ? a : b, symbols);
          ({ bit: bitA, symbol: i, base: baseA } = a);
          ({ bit: bitB, symbol: j, base: baseB } = b);
          continue;
        }
        out.setUint32(i, entries[indexA], true);
        out.setUint32(j, entries[indexB], true);
        windowA >>>= stepA & 15;
        windowB >>>= stepB & 15;
        i += (stepA >>> 4) & 7;
        j += (stepB >>> 4) & 7;
        bitA += stepA & 15;
        bitB += stepB & 15;
        baseA = stepA >>> 8;
        baseB = stepB >>> 8;
        indexA = baseA + ((windowA << 1) & mask);
        indexB = baseB + ((windowB << 1) & mask);
        stepA = entries[indexA + 1];
        stepB = entries[indexB + 1];
        if (stepA === 0 || stepB === 0) continue;
        out.setUint32(i, entries[indexA], true);
        out.setUint32(j, entries[indexB], true);
        i += (stepA >>> 4) & 7;
        j += (stepB >>> 4) & 7;
        bitA += stepA & 15;
        bitB += stepB & 15;
        baseA = stepA >>> 8;
        baseB = stepB >>> 8;
      }
      a.bit = bitA;
      a.symbol = i;
      a.base = baseA;
      b.bit = bitB;
      b.symbol = j;
      b.base = baseB;
    }
    this.decode(work, a, symbols);
    this.decode(work, b, symbols);
  }

  /**
   * Decodes what is left of one stream.
   * @throws HuffmanError `truncated`
   */
  decode(work: DataView, at: Cursor, symbols: Uint8Array): void {
    const { entries, indexBits, levels } = this.lookup;
    if (levels === 1) {
      symbols.fill(0, at.symbol, at.endSymbol);
      at.symbol = at.endSymbol;
      return;
    }
    const out = new DataView(symbols.buffer, symbols.byteOffset, symbols.byteLength);
    const mask = ((1 << indexBits) - 1) << 1;
    const fast = at.endSymbol - 4;
    while (at.symbol <= fast && at.bit < at.endBit) {
      const window = work.getUint32(at.bit >>> 3, true) >>> (at.bit & 7);
      const index = at.base + ((window << 1) & mask);
      const step = entries[index + 1];
      if (step === 0) {
        this.one(work, at, symbols);
        continue;
      }
      out.setUint32(at.symbol, entries[index], true);
      at.symbol += (step >>> 4) & 7;
      at.bit += step & 15;
      at.base = step >>> 8;
    }
    while (at.symbol < at.endSymbol && at.bit < at.endBit) this.one(work, at, symbols);
    if (at.symbol < at.endSymbol || at.bit > at.endBit) {
      throw new HuffmanError('truncated', 'the payload ends too early');
    }
  }

  /** One symbol, bit by bit: for codes longer than the look-up, and for the last symbols. */
  private one(work: DataView, at: Cursor, symbols: Uint8Array): void {
    const { indexBits, firstCode, firstRank, ranked, levels, nextBase } = this.lookup;
    const table = at.base >>> (indexBits + 1);
    const window = work.getUint32(at.bit >>> 3, true) >>> (at.bit & 7);
    let code = 0;
    for (let length = 1; length <= 15; length++) {
      code = (code << 1) | ((window >>> (length - 1)) & 1);
      const row = table * RANK_STRIDE + length;
      const rank = firstRank[row] + code - firstCode[row];
      if (code >= firstCode[row] && rank < firstRank[row + 1]) {
        symbols[at.symbol++] = ranked[table * levels + rank];
        at.bit += length;
        at.base = nextBase[table];
        return;
      }
    }
    // Not reached: the tables are complete codes.
    throw new HuffmanError('corrupt', 'no symbol has this code');
  }
}
