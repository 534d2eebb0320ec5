import { HuffmanError } from '../errors.js';
import type { Plan } from './plan.js';

/** Spreads HWC symbols over planes of values. Most symbols are zero: they are passed over four at a time. */
export class PlaneLoader {
  private readonly bytes: Uint8Array;
  private readonly words: Uint32Array;
  /** The channels' zero symbols, repeated. */
  private readonly zeroWords: Uint32Array;

  constructor(private readonly plan: Plan) {
    const { height, width, channels } = plan.shape;
    this.words = new Uint32Array((height * width * channels + 3) >> 2);
    this.bytes = new Uint8Array(this.words.buffer);
    const cycle = new Uint8Array(4 * channels);
    for (let i = 0; i < cycle.length; i++) cycle[i] = plan.zero[i % channels];
    this.zeroWords = new Uint32Array(cycle.buffer);
  }

  /**
   * @param planes `[channel * grid.size + place]`, cleared; takes symbol - zero where that is not 0
   * @throws HuffmanError `symbols` where a symbol is not below the number of levels
   */
  load(symbols: Uint8Array, planes: Int16Array): void {
    const { bytes, words, zeroWords, plan } = this;
    const { zero, grid, shape } = plan;
    const { channels, levels, width } = shape;
    bytes.set(symbols);
    const cycle = zeroWords.length;
    for (let word = 0, turn = 0; word < words.length; word++) {
      const differs = words[word] !== zeroWords[turn];
      turn = turn + 1 === cycle ? 0 : turn + 1;
      if (!differs) continue;
      const end = Math.min(4 * word + 4, symbols.length);
      for (let i = 4 * word; i < end; i++) {
        const position = Math.floor(i / channels);
        const channel = i - position * channels;
        const value = bytes[i] - zero[channel];
        if (value === 0) continue;
        if (bytes[i] >= levels) {
          throw new HuffmanError('symbols', `symbol ${i} is ${bytes[i]}, the levels are ${levels}`);
        }
        const y = Math.floor(position / width);
        planes[channel * grid.size + grid.row(y) + position - y * width] = value;
      }
    }
  }
}
