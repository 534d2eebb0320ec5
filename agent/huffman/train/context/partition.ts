import { entropyBits } from '../counts.js';

/**
 * Cuts a row of histograms into groups of neighbours so that the sum of the groups' ideal code lengths, and a price for
 * each group, is least (dynamic programming).
 * @returns the group of each histogram, 0.. in order
 */
export function partition(histograms: Float64Array[], price: number): number[] {
  const n = histograms.length;
  const size = histograms[0].length;
  const best = new Float64Array(n + 1).fill(Number.POSITIVE_INFINITY);
  const from = new Int32Array(n + 1);
  best[0] = 0;
  for (let start = 0; start < n; start++) {
    const merged = new Float64Array(size);
    for (let end = start + 1; end <= n; end++) {
      const next = histograms[end - 1];
      let any = false;
      for (let i = 0; i < size; i++) {
        merged[i] += next[i];
        any ||= merged[i] > 0;
      }
      const cost = best[start] + (any ? entropyBits(merged) + price : 0);
      if (cost < best[end] - 1e-9) {
        best[end] = cost;
        from[end] = start;
      }
    }
  }
  const cuts: number[] = [];
  for (let end = n; end > 0; end = from[end]) cuts.unshift(from[end]);
  let group = -1;
  return histograms.map((_, i) => {
    if (cuts.includes(i)) group++;
    return group;
  });
}

/** Adds up the histograms of each group. */
export function mergeGroups(histograms: Float64Array[], groups: number[]): Float64Array[] {
  const merged = Array.from({ length: Math.max(...groups) + 1 }, () => new Float64Array(histograms[0].length));
  histograms.forEach((histogram, i) => {
    histogram.forEach((n, j) => {
      merged[groups[i]][j] += n;
    });
  });
  return merged;
}
