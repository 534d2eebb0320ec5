/** Weights of a linear form: of FLOPs, of bytes, and the constant. None is negative. */
export type Weights = readonly [flops: number, bytes: number, constant: number];

/** One observation: what the time depends on, and the time. */
export interface Observation {
  x: Weights;
  ms: number;
}

/**
 * The non-negative weights with the least sum of squared differences. There are only three, so every subset that may be
 * above zero is tried: the best of those without a negative weight is the exact answer.
 */
export function leastSquares(observations: readonly Observation[]): Weights {
  let best: Weights = [0, 0, 0];
  let least = error(observations, best);
  for (let subset = 1; subset < 8; subset++) {
    const found = solve(
      observations,
      [0, 1, 2].filter((i) => subset & (1 << i)),
    );
    if (!found) continue;
    const left = error(observations, found);
    if (left < least) {
      least = left;
      best = found;
    }
  }
  return best;
}

/** The value of the linear form. */
export function evaluate(weights: Weights, x: Weights): number {
  return weights[0] * x[0] + weights[1] * x[1] + weights[2] * x[2];
}

function error(observations: readonly Observation[], weights: Weights): number {
  return observations.reduce((sum, { x, ms }) => sum + (evaluate(weights, x) - ms) ** 2, 0);
}

/** Least squares with these weights alone, or undefined where they cannot be told apart or one is negative. */
function solve(observations: readonly Observation[], used: readonly number[]): Weights | undefined {
  // Columns differ by ten orders of magnitude: each is brought to length 1 before the normal equations are made.
  const lengths = used.map((i) => Math.sqrt(observations.reduce((sum, { x }) => sum + x[i] ** 2, 0)));
  if (lengths.some((length) => length === 0)) return undefined;
  const rows = used.map((i, a) => [
    ...used.map((j, b) => observations.reduce((sum, { x }) => sum + x[i] * x[j], 0) / (lengths[a] * lengths[b])),
    observations.reduce((sum, { x, ms }) => sum + x[i] * ms, 0) / lengths[a],
  ]);
  for (const [i, row] of rows.entries()) {
    // What is left of a column of length 1 once those before it are taken out.
    if (row[i] < 1e-9) return undefined;
    for (const [j, other] of rows.entries()) {
      if (j === i) continue;
      const factor = other[i] / row[i];
      for (let k = i; k < other.length; k++) other[k] -= factor * row[k];
    }
  }
  const weights: [number, number, number] = [0, 0, 0];
  for (const [i, row] of rows.entries()) weights[used[i]] = row[used.length] / row[i] / lengths[i];
  return weights.every((weight) => weight >= 0) ? weights : undefined;
}
