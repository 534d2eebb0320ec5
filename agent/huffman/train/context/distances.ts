import { DISTANCE_CAP, PREDICTION_ONE, type Predictor } from '../../context/model.js';
import type { Sample } from './sample.js';

/** How far a channel's values are from what was expected, over a sample. */
export interface Distances {
  /** Capped, `[frame * grid.size + place]`, margins 0. */
  capped: Uint8Array;
  /** Full distances per position. */
  exact: Uint8Array;
  /** |prediction - its rounded value| per position, 0..128; undefined without a predictor. */
  fraction: Uint8Array | undefined;
  /** Places where the distance is not zero. */
  nonzero: Int32Array;
}

/**
 * Measures distances in the way the coder does.
 * @param low lowest value of the channel (0 - zero); values reach up to low + levels - 1
 */
export function measureDistances(
  sample: Sample,
  channel: number,
  predictor: Predictor | undefined,
  low: number,
  levels: number,
): Distances {
  const { places, grid } = sample;
  const values = sample.values[channel];
  const capped = new Uint8Array(values.length);
  const exact = new Uint8Array(places.length);
  const fraction = predictor === undefined ? undefined : new Uint8Array(places.length);
  const nonzero: number[] = [];
  const taps = predictor?.taps.map((t) => ({
    values: sample.values[t.channel],
    step: grid.tapStep(t.place),
    weight: t.weight,
  }));
  for (let i = 0; i < places.length; i++) {
    const place = places[i];
    let expected = 0;
    if (predictor !== undefined && taps !== undefined && fraction !== undefined) {
      let predicted = predictor.bias;
      for (const tap of taps) predicted += tap.weight * tap.values[place + tap.step];
      expected = Math.max(low, Math.min(low + levels - 1, (predicted + PREDICTION_ONE / 2) >> 8));
      fraction[i] = Math.min(PREDICTION_ONE / 2, Math.abs(predicted - (expected << 8)));
    }
    const distance = Math.abs(values[place] - expected);
    if (distance === 0) continue;
    exact[i] = distance;
    capped[place] = Math.min(distance, DISTANCE_CAP);
    nonzero.push(place);
  }
  return { capped, exact, fraction, nonzero: Int32Array.from(nonzero) };
}
