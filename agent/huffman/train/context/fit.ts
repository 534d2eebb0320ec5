/** Positions whose features are not all zero, and the rest in sum. */
export interface Rows {
  features: number;
  /** `[row * features + feature]` */
  x: Float32Array;
  /** Distance per row. */
  y: Float32Array;
  /** Place of each row in the sample. */
  at: Int32Array;
  count: number;
  /** Positions without any feature, and the sum of their distances. */
  quietCount: number;
  quietSum: number;
}

/** More rows than this are thinned out: a dozen weights need no more. */
const MAX_ROWS = 40000;

/**
 * Fits non-negative weights and a bias so that `mean = bias + weights . features` makes the distances as likely as
 * can be under a geometric distribution of that mean (its code length is log(1 + mean) + y * log((1 + mean) / mean)).
 * Multiplicative updates: each weight times the ratio of the falling and the rising part of its slope.
 * @returns the weights, then the bias
 */
export function fitActivity(rows: Rows, iterations: number): Float64Array {
  const { features, x, y, count } = rows;
  const step = Math.max(1, Math.floor(count / MAX_ROWS));
  const quietSum = rows.quietSum / step;
  const quietCount = rows.quietCount / step;
  const weights = new Float64Array(features + 1).fill(0.1);
  let total = quietSum;
  for (let row = 0; row < count; row += step) total += y[row];
  const overall = total / Math.max(1, count / step + quietCount);
  weights[features] = Math.max(1e-5, overall * 0.3);
  const up = new Float64Array(features + 1);
  const down = new Float64Array(features + 1);
  for (let iteration = 0; iteration < iterations; iteration++) {
    const bias = weights[features];
    up.fill(0);
    down.fill(0);
    up[features] = quietSum / bias;
    down[features] = (quietCount + quietSum) / (1 + bias);
    for (let row = 0; row < count; row += step) {
      const base = row * features;
      let mean = bias;
      for (let j = 0; j < features; j++) mean += weights[j] * x[base + j];
      const rise = y[row] / mean;
      const fall = (1 + y[row]) / (1 + mean);
      for (let j = 0; j < features; j++) {
        const value = x[base + j];
        if (value === 0) continue;
        up[j] += rise * value;
        down[j] += fall * value;
      }
      up[features] += rise;
      down[features] += fall;
    }
    for (let j = 0; j <= features; j++) {
      if (down[j] > 0) weights[j] = Math.max(j === features ? 1e-5 : 1e-7, weights[j] * (up[j] / down[j]));
      else if (j < features) weights[j] = 0;
    }
  }
  return weights;
}
