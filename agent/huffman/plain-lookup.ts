import { reversedCodes } from './canonical.js';
import { MAX_CODE_BITS } from './lengths.js';

/** Entries per table of `firstCode` and `firstRank`: lengths 0..15, and the end. */
export const RANK_STRIDE = MAX_CODE_BITS + 2;

/** Decoding tables for a cycle of prefix codes; see {@link buildLookup}. */
export interface Lookup {
  levels: number;
  /** How many bits of the payload index a table. */
  indexBits: number;
  /**
   * `[2 * (table << indexBits | bits)]`: up to four symbols, the first in the low byte. At the next index, the step:
   * bits used (0..3), count of symbols (4..6), base index of the next symbol's table (8..); 0 if the code is longer.
   */
  entries: Uint32Array;
  /** Base index of the table that follows each table. */
  nextBase: Uint32Array;
  /** `[table * RANK_STRIDE + length]`: the first code of this length, and how many symbols have shorter codes. */
  firstCode: Int32Array;
  firstRank: Int32Array;
  /** `[table * levels + rank]`: symbols in the order of their codes. */
  ranked: Uint8Array;
}

/**
 * Builds tables that give all the symbols (at most four) whose codes lie whole in the next `indexBits` bits, though
 * each symbol may belong to another table than the one before. Fewer index bits for more tables: they share the cache.
 */
export function buildLookup(tables: Uint8Array[]): Lookup {
  const count = tables.length;
  const levels = tables[0].length;
  const indexBits = count <= 4 ? 11 : count <= 16 ? 10 : 9;
  const size = 1 << indexBits;
  const lookup: Lookup = {
    levels,
    indexBits,
    entries: new Uint32Array(2 * count * size),
    nextBase: Uint32Array.from({ length: count }, (_, table) => ((table + 1) % count) * 2 * size),
    firstCode: new Int32Array(count * RANK_STRIDE),
    firstRank: new Int32Array(count * RANK_STRIDE),
    ranked: new Uint8Array(count * levels),
  };
  tables.forEach((lengths, table) => {
    rankSymbols(lengths, table, lookup);
  });
  if (levels === 1) return lookup;

  // One symbol per look-up first, then up to three more from the tables that follow.
  const single = new Uint16Array(count * size); // symbol | length << 8, 0 where the code is longer than the index
  tables.forEach((lengths, table) => {
    const codes = reversedCodes(lengths);
    lengths.forEach((length, symbol) => {
      if (length > indexBits) return;
      for (let i = codes[symbol]; i < size; i += 1 << length) single[table * size + i] = symbol | (length << 8);
    });
  });
  for (let table = 0; table < count; table++) {
    for (let bits = 0; bits < size; bits++) {
      let used = 0;
      let symbols = 0;
      let found = 0;
      for (let next = table; found < 4; next = (next + 1) % count) {
        const entry = single[next * size + (bits >>> used)];
        if (entry === 0 || used + (entry >>> 8) > indexBits) break;
        symbols |= (entry & 255) << (8 * found++);
        used += entry >>> 8;
      }
      const at = 2 * (table * size + bits);
      lookup.entries[at] = symbols;
      lookup.entries[at + 1] =
        found === 0 ? 0 : used | (found << 4) | (lookup.nextBase[(table + found + count - 1) % count] << 8);
    }
  }
  return lookup;
}

function rankSymbols(lengths: Uint8Array, table: number, lookup: Lookup): void {
  let code = 0;
  let rank = 0;
  for (let length = 1; length <= MAX_CODE_BITS; length++) {
    code <<= 1;
    lookup.firstCode[table * RANK_STRIDE + length] = code;
    lookup.firstRank[table * RANK_STRIDE + length] = rank;
    lengths.forEach((l, symbol) => {
      if (l === length) {
        lookup.ranked[table * lengths.length + rank++] = symbol;
        code++;
      }
    });
  }
  lookup.firstRank[table * RANK_STRIDE + MAX_CODE_BITS + 1] = rank;
}
