import type { SymbolCoder } from './coder.js';
import { HuffmanError } from './errors.js';
import { checkPayloadEnd, checkRate, checkSymbols, emit } from './frame.js';
import { type Cursor, PlainDecoder } from './plain-decode.js';
import { PlainEncoder } from './plain-encode.js';
import { type PlainLengths, readPlainTables, shortestPeriod } from './plain-tables.js';
import { type CodeShape, countSymbols } from './shape.js';

/** Frames of so many symbols or more are coded in two halves, which decode at the same time. */
const TWO_STREAMS = 1 << 15;
/** Bytes that hold the first stream's length, little endian. */
const HEADER = 3;

/** Opens the plain form, the paper's: one canonical Huffman table per channel (and per rate). */
export function openPlain(tables: object, shape: CodeShape): SymbolCoder {
  return new PlainCoder(readPlainTables(tables, shape), shape);
}

class PlainCoder implements SymbolCoder {
  readonly maxBytes: number;
  readonly rates: number;
  readonly inter = false;
  private readonly count: number;
  /** How many symbols the first stream has: all of them, or the first half of the positions. */
  private readonly split: number;
  private readonly cycles: Uint8Array[][];
  private readonly encoders: PlainEncoder[] = [];
  private readonly decoders: PlainDecoder[] = [];
  private readonly work: Uint8Array;
  private readonly view: DataView;

  constructor(lengths: PlainLengths, shape: CodeShape) {
    const positions = shape.height * shape.width;
    this.count = countSymbols(shape);
    this.split = this.count < TWO_STREAMS || positions < 2 ? this.count : (positions >> 1) * shape.channels;
    this.rates = lengths.length;
    this.cycles = lengths.map(shortestPeriod);
    const longest = lengths.map((perChannel) => perChannel.reduce((sum, table) => sum + Math.max(...table), 0));
    this.maxBytes = Math.ceil((Math.max(...longest) * positions) / 8) + (this.split < this.count ? HEADER + 1 : 0);
    this.work = new Uint8Array(this.maxBytes + 8);
    this.view = new DataView(this.work.buffer);
  }

  encode(symbols: Uint8Array, rate: number, out: Uint8Array): number {
    checkRate(rate, this.rates);
    checkSymbols(symbols, this.count);
    this.encoders[rate] ??= new PlainEncoder(this.cycles[rate]);
    const encoder = this.encoders[rate];
    if (this.split === this.count) return emit(this.work, encoder.encode(symbols, this.view, 0), out);
    const middle = encoder.encode(symbols.subarray(0, this.split), this.view, HEADER);
    const end = encoder.encode(symbols.subarray(this.split), this.view, middle);
    this.work[0] = middle - HEADER;
    this.work[1] = (middle - HEADER) >>> 8;
    this.work[2] = (middle - HEADER) >>> 16;
    return emit(this.work, end, out);
  }

  decode(payload: Uint8Array, rate: number, symbols: Uint8Array): void {
    checkRate(rate, this.rates);
    checkSymbols(symbols, this.count);
    if (payload.length > this.maxBytes) {
      throw new HuffmanError('trailing', `${payload.length} bytes, no frame has more than ${this.maxBytes}`);
    }
    this.decoders[rate] ??= new PlainDecoder(this.cycles[rate]);
    const decoder = this.decoders[rate];
    this.work.set(payload);
    if (this.split === this.count) {
      const all = cursor(0, payload.length, 0, this.count);
      decoder.decode(this.view, all, symbols);
      checkPayloadEnd(payload, 0, all.bit);
      return;
    }
    if (payload.length < HEADER) throw new HuffmanError('truncated', 'the payload ends within its header');
    const middle = HEADER + (payload[0] | (payload[1] << 8) | (payload[2] << 16));
    if (middle > payload.length) throw new HuffmanError('truncated', 'the first half is longer than the payload');
    const first = cursor(HEADER, middle, 0, this.split);
    const second = cursor(middle, payload.length, this.split, this.count);
    decoder.decodePair(this.view, first, second, symbols);
    checkPayloadEnd(payload.subarray(0, middle), HEADER, first.bit);
    checkPayloadEnd(payload, middle, second.bit);
  }

  encodeInter(): never {
    throw new HuffmanError('unsupported', 'the plain form has no inter-frame tables');
  }

  decodeInter(): never {
    throw new HuffmanError('unsupported', 'the plain form has no inter-frame tables');
  }
}

function cursor(from: number, to: number, symbol: number, endSymbol: number): Cursor {
  return { bit: from * 8, endBit: to * 8, symbol, endSymbol, base: 0 };
}
