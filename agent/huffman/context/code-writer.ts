import { reversedCodes } from '../canonical.js';
import { type ContextModel, RUN_DISTANCES } from './model.js';
import { bucketExtraBits, bucketStart, runBucket } from './runs.js';
import { RAW, type TokenList } from './tokens.js';

/** The code lengths of all tables of a model, by table number: streams, sign streams, tail. */
function allTables(model: ContextModel): Uint8Array[] {
  return [...model.streams.map((s) => s.lengths), ...model.signs, model.tail];
}

/** Writes tokens as bits. */
export class CodeWriter {
  /** `[table << 8 | symbol]`: code | length << 16; a plain sign bit (RAW) has none. */
  private readonly codes: Uint32Array;
  /** `[table * 64 + bucket]`: the cheapest bucket whose shortest run is not below this bucket's. */
  private readonly cheapest: Uint8Array;

  constructor(model: ContextModel) {
    const tables = allTables(model);
    this.codes = new Uint32Array(RAW + 1);
    tables.forEach((lengths, table) => {
      const codes = reversedCodes(lengths);
      lengths.forEach((length, symbol) => {
        this.codes[(table << 8) | symbol] = codes[symbol] | (length << 16);
      });
    });
    this.cheapest = new Uint8Array(tables.length << 6);
    tables.forEach((lengths, table) => {
      const step = table < model.streams.length ? RUN_DISTANCES : 1;
      if (table === tables.length - 1 || model.streams[table]?.mode === 'direct') return;
      const cost = (bucket: number) => lengths[bucket * step] + bucketExtraBits(bucket);
      const buckets = lengths.length / step;
      for (let bucket = buckets - 1, best = bucket; bucket >= 0; bucket--) {
        if (cost(bucket) <= cost(best)) best = bucket;
        this.cheapest[(table << 6) | bucket] = best;
      }
    });
  }

  /** The cheapest bucket for a run that the end of the frame cuts off after `run` zeros. */
  closer(table: number, run: number): number {
    const bucket = runBucket(run);
    return this.cheapest[(table << 6) | (bucketStart(bucket) < run ? bucket + 1 : bucket)];
  }

  /**
   * @param work takes the payload; must have room for it and 8 bytes more
   * @returns the payload's length in bytes
   */
  write(tokens: TokenList, work: DataView): number {
    const { codes } = this;
    const { ids, extras, length } = tokens;
    let position = 0;
    let accumulator = 0;
    let bits = 0;
    for (let i = 0; i < length; i++) {
      const entry = codes[ids[i]];
      const extra = extras[i];
      const codeBits = entry >>> 16;
      const total = codeBits + (extra >>> 24);
      const rest = extra & 0xffffff;
      if (total <= 24) {
        accumulator |= ((entry & 0xffff) | (rest << codeBits)) << bits;
        bits += total;
      } else {
        accumulator |= (entry & 0xffff) << bits;
        work.setUint32(position, accumulator, true);
        bits += codeBits;
        position += bits >>> 3;
        accumulator >>>= bits & 24;
        bits &= 7;
        accumulator |= rest << bits;
        bits += extra >>> 24;
      }
      work.setUint32(position, accumulator, true);
      position += bits >>> 3;
      accumulator >>>= bits & 24;
      bits &= 7;
    }
    work.setUint32(position, accumulator, true);
    return position + ((bits + 7) >>> 3);
  }
}
