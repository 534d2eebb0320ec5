import { HuffmanError } from '../errors.js';
import type { Plan } from './plan.js';

/** Spreads HWC symbols over planes of values. Most symbols are zero: they are passed over four at a time. */
export class PlaneLoader {
  /** The frame, padded to whole words. */
  private readonly bytes: Uint8Array;
  private readonly words: Uint32Array;
  /** The zero symbols of channels 0..3, 4..7, ...: empty where the channels are no multiple of four. */
  private readonly zeroWords: Uint32Array;

  constructor(private readonly plan: Plan) {
    const { height, width, channels } = plan.shape;
    this.words = new Uint32Array((height * width * channels + 3) >> 2);
    this.bytes = new Uint8Array(this.words.buffer);
    this.zeroWords = new Uint32Array(Uint8Array.from(channels % 4 === 0 ? plan.zero : []).buffer);
  }

  /**
   * @param planes `[channel * grid.size + place]`, cleared; takes symbol - zero where that is not 0
   * @throws HuffmanError `symbols` where a symbol is not below the number of levels
   */
  load(symbols: Uint8Array, planes: Int16Array): void {
    const { words, zeroWords, plan } = this;
    const { grid, shape } = plan;
    this.bytes.set(symbols);
    let word = 0;
    let first = 0;
    for (let y = 0; y < shape.height; y++) {
      const row = grid.row(y);
      for (let place = row; place < row + shape.width; place++) {
        if (zeroWords.length === 0) this.some(first, 0, shape.channels, place, planes);
        for (let i = 0; i < zeroWords.length; i++, word++) {
          if (words[word] !== zeroWords[i]) this.some(first, 4 * i, 4 * i + 4, place, planes);
        }
        first += shape.channels;
      }
    }
  }

  /** Channels `from` to `to` of the position whose first symbol is `first`. */
  private some(first: number, from: number, to: number, place: number, planes: Int16Array): void {
    const { bytes, plan } = this;
    const { levels } = plan.shape;
    const { size } = plan.grid;
    for (let channel = from; channel < to; channel++) {
      const symbol = bytes[first + channel];
      const value = symbol - plan.zero[channel];
      if (value === 0) continue;
      if (symbol >= levels) {
        throw new HuffmanError('symbols', `symbol ${first + channel} is ${symbol}, the levels are ${levels}`);
      }
      planes[channel * size + place] = value;
    }
  }
}
