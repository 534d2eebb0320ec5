import { Grid } from '../../context/grid.js';
import { referenceClass } from '../../context/model.js';
import type { CodeShape } from '../../shape.js';

/** Some frames of one rate in memory, as padded planes of values; what weights are fitted on. */
export interface Sample {
  grid: Grid;
  frames: number;
  /**
   * `[channel][grid.stride + frame * grid.size + place]`, margins 0 (two rows above, as the up-of-up neighbour needs):
   * symbol - zero, or symbol - reference.
   */
  values: Int16Array[];
  /** Classes of the reference's values, laid out alike; empty without reference frames. */
  references: Uint8Array[];
  /** All positions: indices into a channel's values. */
  places: Int32Array;
}

/** Most symbols that the samples of all rates hold: what bounds the trainer's memory. */
const MAX_SYMBOLS = 16e6;

/** Hands out frames of one rate, with their references if they are to be coded against some. */
export type Frames = (visit: (symbols: Uint8Array, rate: number, reference?: Uint8Array) => void) => void;

/**
 * Reads evenly spaced frames of every rate, at most `limit` each.
 * @param total how many frames `read` hands out per rate
 * @param zero `[rate][channel]`, the symbol of value 0
 */
export function readSamples(
  shape: CodeShape,
  total: number[],
  zero: number[][],
  limit: number,
  inter: boolean,
  read: Frames,
): Sample[] {
  const grid = new Grid(shape);
  const { height, width, channels } = shape;
  const room = Math.max(2, Math.floor(MAX_SYMBOLS / total.length / (grid.size * channels)));
  const samples = total.map((count): Sample => {
    const frames = Math.min(count, limit, room);
    const size = grid.stride + frames * grid.size;
    const places = new Int32Array(frames * height * width);
    for (let frame = 0, i = 0; frame < frames; frame++) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) places[i++] = grid.stride + frame * grid.size + grid.row(y) + x;
      }
    }
    const values = Array.from({ length: channels }, () => new Int16Array(size));
    const references = Array.from({ length: inter ? channels : 0 }, () => new Uint8Array(size));
    return { grid, frames, values, references, places };
  });
  const seen = total.map(() => 0);
  const taken = total.map(() => 0);
  read((symbols, rate, reference) => {
    const sample = samples[rate];
    const want = Math.floor((taken[rate] * total[rate]) / sample.frames);
    if (seen[rate]++ !== want || taken[rate] >= sample.frames) return;
    const start = taken[rate]++ * height * width;
    for (let i = 0, position = 0; position < height * width; position++) {
      const place = sample.places[start + position];
      for (let channel = 0; channel < channels; channel++, i++) {
        if (reference === undefined) {
          sample.values[channel][place] = symbols[i] - zero[rate][channel];
        } else {
          sample.values[channel][place] = symbols[i] - reference[i];
          sample.references[channel][place] = referenceClass(reference[i] - zero[rate][channel]);
        }
      }
    }
  });
  return samples;
}
