import { bucketStart, runBucket } from '../../context/runs.js';
import type { TokenList } from '../../context/tokens.js';
import { RAW } from '../../context/tokens.js';

/** What the tokens of many frames hold, per table. */
export class TokenStatistics {
  /** `[table][symbol]` */
  readonly counts: Float64Array[];
  /** Extra bits per table. */
  readonly extraBits: Float64Array;
  /** Sum of the extra values and bucket starts of a table whose symbols are plain run buckets (sign streams). */
  readonly runSum: Float64Array;
  rawBits = 0;

  constructor(tables: number) {
    this.counts = Array.from({ length: tables }, () => new Float64Array(256));
    this.extraBits = new Float64Array(tables);
    this.runSum = new Float64Array(tables);
  }

  add(tokens: TokenList): void {
    const { ids, extras, length } = tokens;
    for (let i = 0; i < length; i++) {
      const id = ids[i];
      if (id === RAW) {
        this.rawBits++;
        continue;
      }
      const table = id >>> 8;
      const symbol = id & 255;
      this.counts[table][symbol]++;
      this.extraBits[table] += extras[i] >>> 24;
      if (symbol < 64) this.runSum[table] += bucketStart(symbol) + (extras[i] & 0xffffff);
    }
  }
}

/** The bucket that closes a run where no code is known yet: the next one whose shortest run is long enough. */
export function plainCloser(_table: number, run: number): number {
  const bucket = runBucket(run);
  return bucketStart(bucket) < run ? bucket + 1 : bucket;
}
