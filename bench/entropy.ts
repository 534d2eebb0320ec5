/**
 * What entropy tables are worth on symbols that they were not trained on: bytes beside zlib, the plain form and the
 * entropy of each channel by itself, and the time of each direction.
 *
 *     node dist/bench/entropy.js --symbols FILE.u8 --shape N,h,w,C --levels L --tables FILE.json... \
 *       [--rates FILE.u8] [--sequences FILE.u16] [--passes 5] [--json FILE]
 *
 * All frames are coded `passes` times, one after the other; a frame's time is its best pass, so that other processes
 * do not count; what is printed is the median over the frames.
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
    passes: { type: 'string', default: '5' },
    json: { type: 'string' },
  },
});
if (values.symbols === undefined || values.shape === undefined || values.levels === undefined) {
  console.error(
    'usage: --symbols FILE --shape N,h,w,C --levels L --tables FILE... [--rates FILE] [--sequences FILE] [--passes 5] [--json FILE]',
  );
  process.exit(2);
}
const [frames, height, width, channels] = values.shape.split(',').map(Number);
const passes = Number(values.passes);
if (!Number.isInteger(passes) || passes < 1) {
  console.error(`--passes is ${values.passes}, expected a whole number from 1`);
  process.exit(2);
}
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
    const sums = framesOf.map(() => ({ bytes: 0, encode: [] as number[], decode: [] as number[] }));
    for (let pass = 0; pass < passes; pass++) {
      const turn = framesOf.map(() => 0);
      each((symbols, rate, reference) => {
        const sum = sums[rate];
        const frame = turn[rate]++;
        const t0 = performance.now();
        const length = reference ? coder.encodeInter(symbols, reference, rate, out) : coder.encode(symbols, rate, out);
        const t1 = performance.now();
        const payload = out.subarray(0, length);
        const t2 = performance.now();
        if (reference) coder.decodeInter(payload, reference, rate, back);
        else coder.decode(payload, rate, back);
        sum.decode[frame] = Math.min(performance.now() - t2, sum.decode[frame] ?? Number.POSITIVE_INFINITY);
        sum.encode[frame] = Math.min(t1 - t0, sum.encode[frame] ?? Number.POSITIVE_INFINITY);
        if (Buffer.compare(symbols, back) !== 0) throw new Error('a frame does not come back');
        if (pass === 0) sum.bytes += length;
      });
    }
    sums.forEach((sum, rate) => {
      const coded = sum.encode.length;
      if (coded === 0) return;
      const times = { encode_ms: median(sum.encode), decode_ms: median(sum.decode) };
      rows.push({ ...row(method, rate, coded, sum.bytes / coded), ...times });
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
