import { HuffmanError } from '../errors.js';
import type { Plan } from './plan.js';

/** Values of a frame's planes that are not 0, one list per channel: most symbols are zero, and are never looked at again. */
export class ValueLists {
  /** `[channel * capacity + i]`: see {@link valueEntry}; places rise if the values are added in coding order. */
  readonly entries: Int32Array;
  /** Entries per channel. */
  readonly counts: Int32Array;
  /** Most entries per channel. */
  readonly capacity: number;

  constructor(plan: Plan) {
    const { height, width, channels } = plan.shape;
    this.capacity = height * width;
    this.entries = new Int32Array(this.capacity * channels);
    this.counts = new Int32Array(channels);
  }

  /** Writes a channel's values into a plane. */
  spreadTo(channel: number, plane: Int16Array): void {
    const { entries } = this;
    const start = channel * this.capacity;
    const end = start + this.counts[channel];
    // Four a turn, as each turn checks the arrays anew.
    let i = start;
    for (; i + 4 <= end; i += 4) {
      plane[entryPlace(entries[i])] = entryValue(entries[i]);
      plane[entryPlace(entries[i + 1])] = entryValue(entries[i + 1]);
      plane[entryPlace(entries[i + 2])] = entryValue(entries[i + 2]);
      plane[entryPlace(entries[i + 3])] = entryValue(entries[i + 3]);
    }
    for (; i < end; i++) plane[entryPlace(entries[i])] = entryValue(entries[i]);
  }
}

/** A place of the grid and a value from -256 to 255, in 32 bits (the largest grid has fewer than 2^23 places). */
export function valueEntry(place: number, value: number): number {
  return (place << 9) | (value + 256);
}

export function entryPlace(entry: number): number {
  return entry >>> 9;
}

export function entryValue(entry: number): number {
  return (entry & 511) - 256;
}

const entryOf = valueEntry;
/** Words of a row are noted as `x << WORD_BITS | word`: positions have at most 1024 words, rows 65536 positions. */
const WORD_BITS = 10;
const WORD_MASK = (1 << WORD_BITS) - 1;

/** Sorts HWC symbols into lists of values. Most symbols are zero: they are passed over four at a time. */
export class FrameLoader {
  /** The frame, padded to whole words. */
  private readonly words: Uint32Array;
  private readonly bytes: Uint8Array;
  /** What symbols are compared with: the zero symbols of a position's channels, or a reference frame. */
  private readonly zero: Uint8Array;
  private readonly zeroWords: Uint32Array;
  /** Of the row that is looked at. */
  private readonly found: Uint32Array;
  private readonly levels: number;
  private reference = new Uint8Array(0);
  private referenceWords = new Uint32Array(0);

  constructor(private readonly plan: Plan) {
    const { height, width, channels, levels } = plan.shape;
    this.levels = levels;
    this.words = new Uint32Array((height * width * channels + 3) >> 2);
    this.bytes = new Uint8Array(this.words.buffer);
    this.zeroWords = new Uint32Array((channels + 3) >> 2);
    this.zero = new Uint8Array(this.zeroWords.buffer);
    this.zero.set(plan.zero);
    this.found = new Uint32Array(width * this.zeroWords.length);
  }

  /**
   * @param lists takes symbol - zero, or symbol - reference, where that is not 0
   * @throws HuffmanError `symbols` where a symbol is not below the number of levels; `reference` is not checked
   */
  load(lists: ValueLists, symbols: Uint8Array, reference?: Uint8Array): void {
    this.bytes.set(symbols);
    lists.counts.fill(0);
    if (reference === undefined) {
      this.compare(lists, this.zero, this.zeroWords, 0);
      return;
    }
    if (this.reference.length === 0) {
      this.referenceWords = new Uint32Array(this.words.length);
      this.reference = new Uint8Array(this.referenceWords.buffer);
    }
    this.reference.set(reference);
    this.compare(lists, this.reference, this.referenceWords, this.plan.shape.channels);
  }

  /** @param step from a position to the next one in `base` */
  private compare(lists: ValueLists, base: Uint8Array, baseWords: Uint32Array, step: number): void {
    const { height, width, channels } = this.plan.shape;
    // Where positions do not start at whole words, every symbol is looked at.
    const whole = channels % 4 === 0;
    for (let y = 0; y < height; y++) {
      const row = this.plan.grid.row(y);
      const first = y * width * channels;
      const baseFirst = y * width * step;
      if (whole) {
        const found = this.differentWords(baseWords, first >> 2, baseFirst >> 2, step >> 2);
        for (let i = 0; i < found; i++) {
          const x = this.found[i] >>> WORD_BITS;
          const channel = 4 * (this.found[i] & WORD_MASK);
          this.listFour(lists, base, first + x * channels + channel, baseFirst + x * step + channel, channel, row + x);
        }
        continue;
      }
      for (let x = 0; x < width; x++) {
        for (let channel = 0; channel < channels; channel++) {
          this.list(lists, base, first + x * channels + channel, baseFirst + x * step + channel, channel, row + x);
        }
      }
    }
  }

  /** Notes the words of a row that differ, without a branch that could not be foreseen. Returns how many there are. */
  private differentWords(baseWords: Uint32Array, first: number, baseFirst: number, step: number): number {
    const { words, found } = this;
    const { width, channels } = this.plan.shape;
    const perPosition = channels >> 2;
    let count = 0;
    let word = first;
    let base = baseFirst;
    for (let x = 0; x < width; x++) {
      // Four a turn, as each turn checks the arrays anew.
      let i = 0;
      for (; i + 4 <= perPosition; i += 4) {
        const a = words[word + i] ^ baseWords[base + i];
        const b = words[word + i + 1] ^ baseWords[base + i + 1];
        const c = words[word + i + 2] ^ baseWords[base + i + 2];
        const d = words[word + i + 3] ^ baseWords[base + i + 3];
        if ((a | b | c | d) === 0) continue;
        found[count] = (x << WORD_BITS) | i;
        count += (a | -a) >>> 31;
        found[count] = (x << WORD_BITS) | (i + 1);
        count += (b | -b) >>> 31;
        found[count] = (x << WORD_BITS) | (i + 2);
        count += (c | -c) >>> 31;
        found[count] = (x << WORD_BITS) | (i + 3);
        count += (d | -d) >>> 31;
      }
      for (; i < perPosition; i++) {
        const difference = words[word + i] ^ baseWords[base + i];
        found[count] = (x << WORD_BITS) | i;
        count += (difference | -difference) >>> 31;
      }
      word += perPosition;
      base += step;
    }
    return count;
  }

  /** Four channels at once: what an array is must then be checked only once. */
  private listFour(
    lists: ValueLists,
    base: Uint8Array,
    index: number,
    baseIndex: number,
    channel: number,
    place: number,
  ): void {
    this.list(lists, base, index, baseIndex, channel, place);
    this.list(lists, base, index + 1, baseIndex + 1, channel + 1, place);
    this.list(lists, base, index + 2, baseIndex + 2, channel + 2, place);
    this.list(lists, base, index + 3, baseIndex + 3, channel + 3, place);
  }

  private list(
    lists: ValueLists,
    base: Uint8Array,
    index: number,
    baseIndex: number,
    channel: number,
    place: number,
  ): void {
    const { counts } = lists;
    const symbol = this.bytes[index];
    const value = symbol - base[baseIndex];
    const at = counts[channel];
    // Written in any case, and kept if the value is not 0.
    lists.entries[channel * lists.capacity + at] = entryOf(place, value);
    counts[channel] = at + ((value | -value) >>> 31);
    if (symbol >= this.levels) throw wrongSymbol(index, symbol, this.levels);
  }
}

function wrongSymbol(index: number, symbol: number, levels: number): HuffmanError {
  return new HuffmanError('symbols', `symbol ${index} is ${symbol}, the levels are ${levels}`);
}
