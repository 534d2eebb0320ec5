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

/** Most symbols that a sample holds: what bounds the trainer's memory. */
const MAX_SYMBOLS = 16e6;

/** Hands out the frames of one rate, with their references if they are to be coded against some. */
export type Frames = (visit: (symbols: Uint8Array, reference?: Uint8Array) => void) => void;

/**
 * Reads evenly spaced frames.
 * @param total how many frames `read` hands out
 * @param zero symbol of value 0 of each channel
 * @param limit most frames
 */
export function readSample(
  shape: CodeShape,
  total: number,
  zero: number[],
  limit: number,
  inter: boolean,
  read: Frames,
): Sample {
  const grid = new Grid(shape);
  const { height, width, channels } = shape;
  const room = Math.max(2, Math.floor(MAX_SYMBOLS / (grid.size * channels)));
  const frames = Math.min(total, limit, room);
  const size = grid.stride + frames * grid.size;
  const places = new Int32Array(frames * height * width);
  for (let frame = 0, i = 0; frame < frames; frame++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) places[i++] = grid.stride + frame * grid.size + grid.row(y) + x;
    }
  }
  const values = Array.from({ length: channels }, () => new Int16Array(size));
  const references = Array.from({ length: inter ? channels : 0 }, () => new Uint8Array(size));
  let seen = 0;
  let taken = 0;
  read((symbols, reference) => {
    if (taken === frames || seen++ !== Math.floor((taken * total) / frames)) return;
    const start = taken++ * height * width;
    for (let i = 0, position = 0; position < height * width; position++) {
      const place = places[start + position];
      for (let channel = 0; channel < channels; channel++, i++) {
        if (reference === undefined) {
          values[channel][place] = symbols[i] - zero[channel];
        } else {
          values[channel][place] = symbols[i] - reference[i];
          references[channel][place] = referenceClass(reference[i] - zero[channel]);
        }
      }
    }
  });
  return { grid, frames, values, references, places };
}
