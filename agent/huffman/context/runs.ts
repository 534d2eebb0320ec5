/**
 * Lengths of runs as tokens: 0..7 by themselves, then two buckets per octave (8-11, 12-15, 16-23, 24-31, ...), the
 * place within a bucket in plain extra bits.
 */
const SINGLE = 8;

/** Bucket of a run, 0.. */
export function runBucket(run: number): number {
  if (run < SINGLE) return run;
  const octave = 31 - Math.clz32(run);
  return SINGLE + 2 * (octave - 3) + ((run >>> (octave - 1)) & 1);
}

/** Shortest run of a bucket. */
export function bucketStart(bucket: number): number {
  if (bucket < SINGLE) return bucket;
  const octave = 3 + ((bucket - SINGLE) >> 1);
  return (1 << octave) + ((bucket - SINGLE) & 1) * (1 << (octave - 1));
}

/** How many extra bits tell the run within a bucket. */
export function bucketExtraBits(bucket: number): number {
  return bucket < SINGLE ? 0 : 2 + ((bucket - SINGLE) >> 1);
}

/** How many buckets are needed for runs of up to `longest`, one beyond it included to close a frame. */
export function bucketCount(longest: number): number {
  return runBucket(longest) + 2;
}
