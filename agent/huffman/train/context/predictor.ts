import { PREDICTION_ONE, type Predictor } from '../../context/model.js';
import type { Sample } from './sample.js';

/** Positions that a prediction is fitted on. */
const ROWS = 24000;
/** Each term must explain this share of what was left. */
const MIN_TERM_GAIN = 0.004;

/**
 * Fits a linear prediction of a channel from values decoded before it: orthogonal matching pursuit, one term at a time,
 * each the one that fits best what is left.
 * @param sources channels coded before, whose values may be looked at
 * @param minGain share of the channel's power that it must explain
 * @param maxTerms most terms
 * @returns undefined where prediction does not pay
 */
export function fitPredictor(
  sample: Sample,
  channel: number,
  sources: number[],
  minGain: number,
  maxTerms: number,
): Predictor | undefined {
  const { grid, places } = sample;
  const step = Math.max(1, Math.floor(places.length / ROWS));
  const rows = Math.floor(places.length / step);
  const target = gather(sample, channel, 0, step, rows);
  const power = dot(target, target);
  if (power === 0) return undefined;
  const candidates: { channel: number; place: number }[] = [];
  for (let place = 0; place < 4; place++) candidates.push({ channel, place });
  for (const source of sources) for (let place = 0; place < 9; place++) candidates.push({ channel: source, place });
  const columns = candidates.map((c) => gather(sample, c.channel, grid.tapStep(c.place), step, rows));
  columns.push(new Float32Array(rows).fill(1)); // the bias
  const norms = columns.map((column) => dot(column, column));
  const chosen = [columns.length - 1];
  let weights = solve(chosen, columns, target);
  let left = residual(target, chosen, columns, weights);
  let error = dot(left, left);
  const first = error;
  while (chosen.length <= maxTerms) {
    let best = -1;
    let bestScore = 0;
    for (let i = 0; i < candidates.length; i++) {
      if (norms[i] === 0 || chosen.includes(i)) continue;
      const score = dot(columns[i], left) ** 2 / norms[i];
      if (score > bestScore) {
        bestScore = score;
        best = i;
      }
    }
    if (best < 0 || bestScore < MIN_TERM_GAIN * error) break;
    chosen.push(best);
    weights = solve(chosen, columns, target);
    left = residual(target, chosen, columns, weights);
    error = dot(left, left);
  }
  if (error > (1 - minGain) * first) return undefined;
  const taps = chosen.slice(1).map((i, n) => ({
    ...candidates[i],
    weight: clamp(Math.round(weights[n + 1] * PREDICTION_ONE), 4095),
  }));
  const bias = clamp(Math.round(weights[0] * PREDICTION_ONE), 65536);
  return { bias, steer: 0, taps: taps.filter((tap) => tap.weight !== 0) };
}

function gather(sample: Sample, channel: number, shift: number, step: number, rows: number): Float32Array {
  const values = sample.values[channel];
  const column = new Float32Array(rows);
  for (let i = 0; i < rows; i++) column[i] = values[sample.places[i * step] + shift];
  return column;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function residual(target: Float32Array, chosen: number[], columns: Float32Array[], weights: number[]): Float32Array {
  const left = target.slice();
  chosen.forEach((c, n) => {
    const column = columns[c];
    const weight = weights[n];
    for (let i = 0; i < left.length; i++) left[i] -= weight * column[i];
  });
  return left;
}

/** Least squares by the normal equations, with a trace of ridge. */
function solve(chosen: number[], columns: Float32Array[], target: Float32Array): number[] {
  const n = chosen.length;
  const rows = chosen.map((a, i) => {
    const row = chosen.map((b) => dot(columns[a], columns[b]));
    row[i] = row[i] * (1 + 1e-6) + 1e-6;
    return [...row, dot(columns[a], target)];
  });
  for (let i = 0; i < n; i++) {
    let pivot = i;
    for (let j = i + 1; j < n; j++) if (Math.abs(rows[j][i]) > Math.abs(rows[pivot][i])) pivot = j;
    [rows[i], rows[pivot]] = [rows[pivot], rows[i]];
    for (let j = 0; j < n; j++) {
      if (j === i) continue;
      const factor = rows[j][i] / rows[i][i];
      for (let k = i; k <= n; k++) rows[j][k] -= factor * rows[i][k];
    }
  }
  return rows.map((row, i) => row[n] / row[i]);
}

function clamp(value: number, limit: number): number {
  return Math.max(-limit, Math.min(limit, value));
}
