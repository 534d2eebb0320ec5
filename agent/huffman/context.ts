import type { SymbolCoder } from './coder.js';
import { CodeReader } from './context/code-reader.js';
import { allTables, CodeWriter } from './context/code-writer.js';
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
  return new ContextCoder(models, shape);
}

/** The most bits that one symbol can take: a token, a tail and a sign, each with the longest code. */
function worstBits(model: ContextModel): number {
  const longest = (tables: Uint8Array[]) =>
    tables.reduce((max, lengths) => lengths.reduce((m, l) => Math.max(m, l), max), 0);
  return longest(model.streams.map((s) => s.lengths)) + longest([model.tail]) + Math.max(1, longest(model.signs));
}

class ContextCoder implements SymbolCoder {
  readonly maxBytes: number;
  readonly rates: number;
  readonly inter = false;
  private readonly count: number;
  private readonly encoders: { tokeniser: Tokeniser; writer: CodeWriter }[] = [];
  private readonly decoders: { decoder: Decoder; reader: CodeReader }[] = [];
  private readonly work: Uint8Array;
  private readonly view: DataView;

  constructor(
    private readonly models: ContextModel[],
    private readonly shape: CodeShape,
  ) {
    this.count = countSymbols(shape);
    this.rates = models.length;
    // Extra bits of runs are always fewer than the symbols they save, but for the runs open at the end of the frame.
    const open = Math.max(...models.map((m) => m.streams.length + m.signs.length)) * 40;
    this.maxBytes = Math.ceil((Math.max(...models.map(worstBits)) * this.count + open) / 8);
    this.work = new Uint8Array(this.maxBytes + 16);
    this.view = new DataView(this.work.buffer);
  }

  encode(symbols: Uint8Array, rate: number, out: Uint8Array): number {
    checkRate(rate, this.rates);
    checkSymbols(symbols, this.count);
    const { tokeniser, writer } = this.encoder(rate);
    tokeniser.frame(symbols);
    return emit(this.work, writer.write(tokeniser.tokens, this.view), out);
  }

  decode(payload: Uint8Array, rate: number, symbols: Uint8Array): void {
    checkRate(rate, this.rates);
    checkSymbols(symbols, this.count);
    if (payload.length > this.maxBytes) {
      throw new HuffmanError('trailing', `${payload.length} bytes, no frame has more than ${this.maxBytes}`);
    }
    const { decoder, reader } = this.decoder(rate);
    this.work.set(payload);
    reader.begin(this.view, payload.length);
    decoder.frame(symbols);
    checkPayloadEnd(payload, 0, reader.bit);
  }

  private encoder(rate: number) {
    const model = this.models[rate];
    if (this.encoders[rate] === undefined) {
      const writer = new CodeWriter(model);
      const closer = (table: number, run: number) => writer.closer(table, run);
      this.encoders[rate] = { tokeniser: new Tokeniser(new Plan(model, this.shape), closer), writer };
    }
    return this.encoders[rate];
  }

  private decoder(rate: number) {
    const model = this.models[rate];
    if (this.decoders[rate] === undefined) {
      const reader = new CodeReader(allTables(model));
      this.decoders[rate] = { decoder: new Decoder(new Plan(model, this.shape), reader), reader };
    }
    return this.decoders[rate];
  }
}
