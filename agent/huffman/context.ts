import type { SymbolCoder } from './coder.js';
import { CodeWriter } from './context/code-writer.js';
import { Decoder } from './context/decoder.js';
import type { ContextModel } from './context/model.js';
import { readModel } from './context/model-json.js';
import { Plan } from './context/plan.js';
import { Tokeniser } from './context/tokeniser.js';
import { HuffmanError } from './errors.js';
import { checkPayloadEnd, checkRate, checkSymbols, emit } from './frame.js';
import { asArray, asInteger, asObject, fail, MAX_RATES } from './json.js';
import { type CodeShape, countSymbols } from './shape.js';

/** Opens the context form: canonical Huffman codes of runs and distances, chosen by what was coded before. */
export function openContext(tables: object, shape: CodeShape): SymbolCoder {
  const json = asObject(tables, 'entropy tables');
  if (json.form !== 'context') fail('form', 'must be "context"');
  asInteger(json.version, 1, 1, 'version');
  asInteger(json.channels, shape.channels, shape.channels, 'channels');
  asInteger(json.levels, shape.levels, shape.levels, 'levels');
  const models = asArray(json.models, 1, MAX_RATES, 'models').map((value, i) =>
    readModel(value, shape, false, `models[${i}]`),
  );
  const rates = models.length;
  const inter =
    json.inter === undefined
      ? []
      : asArray(json.inter, rates, rates, 'inter').map((value, i) => readModel(value, shape, true, `inter[${i}]`));
  return new ContextCoder(models, inter, shape);
}

/** The most bits that one symbol can take: a token, a tail and a sign, each with the longest code. */
function worstBits(model: ContextModel): number {
  const longest = (tables: Uint8Array[]) =>
    tables.reduce((max, lengths) => lengths.reduce((m, l) => Math.max(m, l), max), 0);
  return longest(model.streams.map((s) => s.lengths)) + longest([model.tail]) + Math.max(1, longest(model.signs));
}

/** One model's encoder and decoder, each made when it is first needed. */
class Codec {
  private encoder: { tokeniser: Tokeniser; writer: CodeWriter } | undefined;
  private decoder: Decoder | undefined;

  constructor(
    private readonly model: ContextModel,
    private readonly shape: CodeShape,
  ) {}

  encode(work: DataView, symbols: Uint8Array, reference?: Uint8Array): number {
    if (this.encoder === undefined) {
      const writer = new CodeWriter(this.model);
      const plan = new Plan(this.model, this.shape);
      this.encoder = { tokeniser: new Tokeniser(plan, (table, run) => writer.closer(table, run)), writer };
    }
    const { tokeniser, writer } = this.encoder;
    tokeniser.frame(symbols, reference);
    return writer.write(tokeniser.tokens, work);
  }

  /** Returns the bit after the last one used. */
  decode(work: DataView, bytes: number, symbols: Uint8Array, reference?: Uint8Array): number {
    this.decoder ??= new Decoder(new Plan(this.model, this.shape));
    return this.decoder.frame(work, bytes, symbols, reference);
  }
}

class ContextCoder implements SymbolCoder {
  readonly maxBytes: number;
  readonly rates: number;
  readonly inter: boolean;
  private readonly count: number;
  private readonly intraCodecs: Codec[];
  private readonly interCodecs: Codec[];
  private readonly work: Uint8Array;
  private readonly view: DataView;

  constructor(models: ContextModel[], inter: ContextModel[], shape: CodeShape) {
    this.count = countSymbols(shape);
    this.rates = models.length;
    this.inter = inter.length > 0;
    this.intraCodecs = models.map((model) => new Codec(model, shape));
    this.interCodecs = inter.map((model) => new Codec(model, shape));
    // Extra bits of runs are always fewer than the symbols they save, but for the runs open at the end of the frame.
    const all = [...models, ...inter];
    const open = Math.max(...all.map((m) => m.streams.length + m.signs.length)) * 40;
    this.maxBytes = Math.ceil((Math.max(...all.map(worstBits)) * this.count + open) / 8);
    this.work = new Uint8Array(this.maxBytes + 16);
    this.view = new DataView(this.work.buffer);
  }

  encode(symbols: Uint8Array, rate: number, out: Uint8Array): number {
    checkRate(rate, this.rates);
    checkSymbols(symbols, this.count);
    return emit(this.work, this.intraCodecs[rate].encode(this.view, symbols), out);
  }

  decode(payload: Uint8Array, rate: number, symbols: Uint8Array): void {
    checkRate(rate, this.rates);
    checkSymbols(symbols, this.count);
    this.load(payload);
    checkPayloadEnd(payload, 0, this.intraCodecs[rate].decode(this.view, payload.length, symbols));
  }

  encodeInter(symbols: Uint8Array, reference: Uint8Array, rate: number, out: Uint8Array): number {
    const codec = this.interCodec(rate);
    checkSymbols(symbols, this.count);
    checkSymbols(reference, this.count);
    return emit(this.work, codec.encode(this.view, symbols, reference), out);
  }

  decodeInter(payload: Uint8Array, reference: Uint8Array, rate: number, symbols: Uint8Array): void {
    const codec = this.interCodec(rate);
    checkSymbols(symbols, this.count);
    checkSymbols(reference, this.count);
    this.load(payload);
    checkPayloadEnd(payload, 0, codec.decode(this.view, payload.length, symbols, reference));
  }

  private interCodec(rate: number): Codec {
    if (!this.inter) throw new HuffmanError('unsupported', 'these tables have no inter-frame models');
    checkRate(rate, this.rates);
    return this.interCodecs[rate];
  }

  private load(payload: Uint8Array): void {
    if (payload.length > this.maxBytes) {
      throw new HuffmanError('trailing', `${payload.length} bytes, no frame has more than ${this.maxBytes}`);
    }
    this.work.set(payload);
  }
}
