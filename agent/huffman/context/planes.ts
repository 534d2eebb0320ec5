import { HuffmanError } from '../errors.js';
import type { Plan } from './plan.js';

/** Spreads HWC symbols over planes of values. Most symbols are zero: they are passed over four at a time. */
export class PlaneLoader {
  private readonly bytes: Uint8Array;
  private readonly words: Uint32Array;
  /** The channels' zero symbols, repeated for as long as it takes to start at a whole word again. */
  private readonly zeroWords: Uint32Array;

  constructor(private readonly plan: Plan) {
    const { height, width, channels } = plan.shape;
    this.words = new Uint32Array((height * width * channels + 3) >> 2);
    this.bytes = new Uint8Array(this.words.buffer);
    const cycle = new Uint8Array(channels % 4 === 0 ? channels : 4 * channels);
    for (let i = 0; i < cycle.length; i++) cycle[i] = plan.zero[i % channels];
    this.zeroWords = new Uint32Array(cycle.buffer);
  }

  /**
   * @param planes `[channel * grid.size + place]`, cleared; takes symbol - zero where that is not 0
   * @throws HuffmanError `symbols` where a symbol is not below the number of levels
   */
  load(symbols: Uint8Array, planes: Int16Array): void {
    const { words, zeroWords } = this;
    this.bytes.set(symbols);
    const cycle = zeroWords.length;
    for (let start = 0; start < words.length; start += cycle) {
      const end = start + cycle < words.length ? start + cycle : words.length;
      for (let word = start, turn = 0; word < end; word++, turn++) {
        if (words[word] !== zeroWords[turn]) this.word(word, symbols.length, planes);
      }
    }
  }

  private word(word: number, count: number, planes: Int16Array): void {
    const { bytes, plan } = this;
    const { zero, grid, shape } = plan;
    const { channels, levels, width } = shape;
    let position = ((4 * word) / channels) | 0;
    let channel = 4 * word - position * channels;
    const y = (position / width) | 0;
    let x = position - y * width;
    let place = grid.row(y) + x;
    const end = 4 * word + 4 < count ? 4 * word + 4 : count;
    for (let i = 4 * word; i < end; i++) {
      const value = bytes[i] - zero[channel];
      if (value !== 0) {
        if (bytes[i] >= levels) {
          throw new HuffmanError('symbols', `symbol ${i} is ${bytes[i]}, the levels are ${levels}`);
        }
        planes[channel * grid.size + place] = value;
      }
      if (++channel < channels) continue;
      channel = 0;
      position++;
      place++;
      if (++x < width) continue;
      x = 0;
      place = grid.row((position / width) | 0);
    }
  }
}
