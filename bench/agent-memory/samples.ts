/** What a process held at a moment. */
export interface Sample {
  /** Seconds since the start. */
  s: number;
  rss_mb: number;
  /** Of it, what is no file's: heaps, tensors, stacks. */
  anonymous_mb: number;
  /** Of it, programs and libraries. */
  file_mb: number;
  /** Taken until then. */
  frames: number;
}

/** Least squares: MB a second. */
export function slope(samples: readonly Sample[]): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [s, mb] = [mean(samples.map((sample) => sample.s)), mean(samples.map(({ rss_mb }) => rss_mb))];
  const across = samples.reduce((sum, sample) => sum + (sample.s - s) * (sample.rss_mb - mb), 0);
  return across / samples.reduce((sum, sample) => sum + (sample.s - s) ** 2, 0);
}
