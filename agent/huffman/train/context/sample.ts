import { Grid } from '../../context/grid.js';
import { eachFrame, type TrainingData } from '../input.js';

/** Some frames of one rate in memory, as padded planes of values; what weights are fitted on. */
export interface Sample {
  grid: Grid;
  frames: number;
  /** `[channel][grid.stride + frame * grid.size + place]`, margins 0 (two rows above, as the up-of-up neighbour needs). */
  values: Int16Array[];
  /** All positions: indices into a channel's values. */
  places: Int32Array;
}

/** Most symbols that a sample holds: what bounds the trainer's memory. */
const MAX_SYMBOLS = 16e6;

/** Reads evenly spaced frames of every rate, at most `limit` each. `zero[rate][channel]` is the symbol of value 0. */
export function readSamples(data: TrainingData, zero: number[][], limit: number): Sample[] {
  const grid = new Grid(data.shape);
  const { height, width, channels } = data.shape;
  const room = Math.max(2, Math.floor(MAX_SYMBOLS / data.rates / (grid.size * channels)));
  const total = new Array<number>(data.rates).fill(0);
  for (const rate of data.frameRates) total[rate]++;
  const samples = total.map((count): Sample => {
    const frames = Math.min(count, limit, room);
    const places = new Int32Array(frames * height * width);
    for (let frame = 0, i = 0; frame < frames; frame++) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) places[i++] = grid.stride + frame * grid.size + grid.row(y) + x;
      }
    }
    const values = Array.from({ length: channels }, () => new Int16Array(grid.stride + frames * grid.size));
    return { grid, frames, values, places };
  });
  const seen = new Array<number>(data.rates).fill(0);
  const taken = new Array<number>(data.rates).fill(0);
  eachFrame(data, (symbols, rate) => {
    const sample = samples[rate];
    const want = Math.floor((taken[rate] * total[rate]) / sample.frames);
    if (seen[rate]++ !== want || taken[rate] >= sample.frames) return;
    const start = taken[rate]++ * height * width;
    for (let i = 0, position = 0; position < height * width; position++) {
      const place = sample.places[start + position];
      for (let channel = 0; channel < channels; channel++, i++) {
        sample.values[channel][place] = symbols[i] - zero[rate][channel];
      }
    }
  });
  return samples;
}
