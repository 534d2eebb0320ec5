import { reversedCodes } from '../canonical.js';
import { MAX_CODE_BITS } from '../lengths.js';
import { type ContextModel, RUN_DISTANCES } from './model.js';
import { bucketExtraBits, bucketStart } from './runs.js';

/** How many bits of the payload index a table; the rest of a longer code indexes a table of its own. */
export const INDEX_BITS = 9;
const REST_BITS = MAX_CODE_BITS - INDEX_BITS;
export const INDEX_MASK = (1 << INDEX_BITS) - 1;
export const REST_MASK = (1 << REST_BITS) - 1;

/**
 * What stands in a table for each code, so that one look-up tells all of a token:
 * - bits 0-3 the code's length,
 * - bits 4-8 how many extra bits follow it,
 * - bits 9-11 the run before the distance, shifted right by the number of extra bits: the run is
 *   `(these << extra bits) + value of the extra bits`,
 * - bits 12-20 the distance. In run streams 1, 2, or RUN_DISTANCES where the tail table goes on; in direct
 *   streams those from RUN_DISTANCES on are one larger, to tell them from that.
 *
 * A code longer than INDEX_BITS has a negative entry: ~entry is where the table for the rest of it starts.
 */
export const EXTRA_SHIFT = 4;
export const EXTRA_MASK = 31;
export const RUN_SHIFT = 9;
export const RUN_MASK = 7;
export const DISTANCE_SHIFT = 12;

/** The tables that payloads are decoded with: `[table << INDEX_BITS | bits]`. */
export function decodingTables(model: ContextModel): Int32Array {
  const tables = [
    ...model.streams.map((s) => ({ lengths: s.lengths, leaf: s.mode === 'run' ? runLeaf : directLeaf })),
    ...model.signs.map((lengths) => ({ lengths, leaf: signLeaf })),
    { lengths: model.tail, leaf: tailLeaf },
  ];
  const entries: number[] = new Array(tables.length << INDEX_BITS).fill(0);
  tables.forEach(({ lengths, leaf }, table) => {
    const codes = reversedCodes(lengths);
    lengths.forEach((length, symbol) => {
      const entry = length | leaf(symbol);
      const base = table << INDEX_BITS;
      if (length <= INDEX_BITS) {
        for (let i = codes[symbol]; i <= INDEX_MASK; i += 1 << length) entries[base | i] = entry;
        return;
      }
      const at = base | (codes[symbol] & INDEX_MASK);
      if (entries[at] === 0) {
        entries[at] = ~entries.length;
        for (let i = 0; i <= REST_MASK; i++) entries.push(0);
      }
      const rest = ~entries[at];
      for (let i = codes[symbol] >>> INDEX_BITS; i <= REST_MASK; i += 1 << (length - INDEX_BITS)) {
        entries[rest + i] = entry;
      }
    });
  });
  return Int32Array.from(entries);
}

function bucketLeaf(bucket: number): number {
  const extra = bucketExtraBits(bucket);
  return (extra << EXTRA_SHIFT) | ((bucketStart(bucket) >> extra) << RUN_SHIFT);
}

function runLeaf(symbol: number): number {
  const bucket = Math.floor(symbol / RUN_DISTANCES);
  return bucketLeaf(bucket) | ((symbol - bucket * RUN_DISTANCES + 1) << DISTANCE_SHIFT);
}

function directLeaf(distance: number): number {
  return (distance < RUN_DISTANCES ? distance : distance + 1) << DISTANCE_SHIFT;
}

function signLeaf(bucket: number): number {
  return bucketLeaf(bucket);
}

function tailLeaf(symbol: number): number {
  return symbol << DISTANCE_SHIFT;
}
