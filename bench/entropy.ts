/**
 * What entropy tables are worth on symbols that they were not trained on: bytes beside zlib, the plain form and the
 * entropy of each channel by itself, and the time of each direction.
 *
 *     node dist/bench/entropy.js --symbols FILE.u8 --shape N,h,w,C --levels L --tables FILE.json... \
 *       [--rates FILE.u8] [--sequences FILE.u16] [--json FILE]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { deflateRawSync } from 'node:zlib';
import { openCoder } from '../agent/huffman/index.js';
import { countChannels, entropyBits } from '../agent/huffman/train/counts.js';
import { eachFrame, openTrainingData } from '../agent/huffman/train/input.js';
import { eachPair, readSequences } from '../agent/huffman/train/pairs.js';

interface Row {
  method: string;
  rate: number;
  frames: number;
  bytes_mean: number;
  over_channel_entropy: number;
  encode_ms?: number;
  decode_ms?: number;
}

const { values } = parseArgs({
  options: {
    symbols: { type: 'string' },
    shape: { type: 'string' },
    levels: { type: 'string' },
    tables: { type: 'string', multiple: true, default: [] },
    rates: { type: 'string' },
    sequences: { type: 'string' },
    json: { type: 'string' },
  },
});
if (values.symbols === undefined || values.shape === undefined || values.levels === undefined) {
  console.error(
    'usage: --symbols FILE --shape N,h,w,C --levels L --tables FILE... [--rates FILE] [--sequences FILE] [--json FILE]',
  );
  process.exit(2);
}
const [frames, height, width, channels] = values.shape.split(',').map(Number);
const shape = { height, width, channels, levels: Number(values.levels) };
const data = openTrainingData(values.symbols, shape, frames, values.rates);

const counts = countChannels(data);
const framesOf = counts.map((_, rate) => data.frameRates.reduce((n, r) => n + (r === rate ? 1 : 0), 0));
const entropy = counts.map(
  (c, rate) => c.reduce((bits, perSymbol) => bits + entropyBits(perSymbol), 0) / 8 / framesOf[rate],
);
const rows: Row[] = entropy.map((bytes, rate) => row('entropy of each channel', rate, framesOf[rate], bytes));

const deflated = framesOf.map(() => 0);
eachFrame(data, (symbols, rate) => {
  deflated[rate] += deflateRawSync(symbols, { level: 9 }).length;
});
deflated.forEach((sum, rate) => {
  rows.push(row('zlib level 9', rate, framesOf[rate], sum / framesOf[rate]));
});

for (const file of values.tables) {
  const coder = openCoder(JSON.parse(readFileSync(file, 'utf8')), shape);
  const out = new Uint8Array(coder.maxBytes);
  const back = new Uint8Array(height * width * channels);
  const measured = (
    method: string,
    each: (visit: (s: Uint8Array, rate: number, reference?: Uint8Array) => void) => void,
  ) => {
    const sums = framesOf.map(() => ({ frames: 0, bytes: 0, encode: [] as number[], decode: [] as number[] }));
    each((symbols, rate, reference) => {
      const sum = sums[rate];
      const t0 = performance.now();
      const length = reference ? coder.encodeInter(symbols, reference, rate, out) : coder.encode(symbols, rate, out);
      const t1 = performance.now();
      const payload = out.subarray(0, length);
      const t2 = performance.now();
      if (reference) coder.decodeInter(payload, reference, rate, back);
      else coder.decode(payload, rate, back);
      sum.decode.push(performance.now() - t2);
      sum.encode.push(t1 - t0);
      if (Buffer.compare(symbols, back) !== 0) throw new Error('a frame does not come back');
      sum.frames++;
      sum.bytes += length;
    });
    sums.forEach((sum, rate) => {
      if (sum.frames === 0) return;
      const times = { encode_ms: median(sum.encode), decode_ms: median(sum.decode) };
      rows.push({ ...row(method, rate, sum.frames, sum.bytes / sum.frames), ...times });
    });
  };
  measured(file, (visit) => eachFrame(data, (symbols, rate) => visit(symbols, rate)));
  if (values.sequences === undefined || !coder.inter) continue;
  const sequences = readSequences(values.sequences, frames);
  measured(`${file}, against the frame before`, (visit) =>
    eachPair(data, sequences, (symbols, reference, rate) => visit(symbols, rate, reference)),
  );
}

function row(method: string, rate: number, count: number, bytes: number): Row {
  const round = (value: number, digits: number) => Number(value.toFixed(digits));
  return {
    method,
    rate,
    frames: count,
    bytes_mean: round(bytes, 1),
    over_channel_entropy: round(bytes / entropy[rate], 4),
  };
}

function median(times: number[]): number {
  return Number(times.sort((a, b) => a - b)[times.length >> 1].toFixed(3));
}

rows.sort((a, b) => a.rate - b.rate);
console.table(rows);
const report = { shape, frames, node: process.version, cpu: cpus()[0]?.model ?? 'unknown', rows };
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
