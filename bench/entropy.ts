/**
 * What entropy tables are worth on symbols that they were not trained on: bytes beside zlib, the plain form and the
 * entropy of each channel by itself, and the time of each direction.
 *
 * All frames are coded `passes` times, one after the other; a frame's time is its best pass, so that other processes
 * do not count; what is printed is the median over the frames.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { deflateRawSync } from 'node:zlib';
import { type CodeShape, HuffmanError, openCoder } from '../agent/huffman/index.js';
import { countChannels, entropyBits } from '../agent/huffman/train/counts.js';
import { eachFrame, openTrainingData, TrainingDataError } from '../agent/huffman/train/input.js';
import { eachPair, readSequences } from '../agent/huffman/train/pairs.js';
import { DeepcodError, ExitCode } from '../platform/errors.js';
import { runMain, usageError } from '../platform/main.js';
import { numberOption, parseOptions, text, texts } from '../platform/options.js';

interface Row {
  method: string;
  rate: number;
  frames: number;
  bytes_mean: number;
  over_channel_entropy: number;
  encode_ms?: number;
  decode_ms?: number;
}

const usage = `usage: node dist/bench/entropy.js --symbols FILE --shape N,h,w,C --levels L --tables FILE... [options]

What entropy tables are worth on symbols that they were not trained on.

  --symbols FILE    N frames of h*w*C uint8 symbols, channels of a position together
  --shape N,h,w,C   frames, height, width, channels
  --levels L        symbols are 0..L-1
  --tables FILE     tables of dist/agent/huffman/train.js; may be repeated
  --rates FILE      one byte per frame, its rate (default: all 0)
  --sequences FILE  one little-endian uint16 per frame, the sequence it belongs to: also codes each frame against the one
                    before it in its sequence
  --passes N        passes over all frames; a frame's best counts (default: 5)
  --json FILE       write the report
  --help            this text

Exit codes: 0 done, 1 unexpected, 2 wrong usage or input.`;

const read = (args: string[]) =>
  parseOptions(args, {
    symbols: text,
    shape: text,
    levels: text,
    tables: texts,
    rates: text,
    sequences: text,
    passes: text,
    json: text,
  });

/** What to measure, and how often. */
interface Plan {
  files: { symbols: string; tables: string[]; rates?: string; sequences?: string };
  shape: CodeShape;
  frames: number;
  passes: number;
}

function plan(values: ReturnType<typeof read>): Plan {
  const { symbols, tables = [], rates, sequences } = values;
  if (symbols === undefined || values.shape === undefined || values.levels === undefined) {
    throw usageError('--symbols, --shape and --levels are needed');
  }
  for (const file of [symbols, ...tables, rates, sequences]) {
    if (file !== undefined && !existsSync(file)) throw usageError(`${file}: no such file`);
  }
  const numbers = values.shape.split(',').map(Number);
  if (numbers.length !== 4 || !numbers.every((n) => Number.isInteger(n) && n > 0)) {
    throw usageError(`--shape ${values.shape}: expected N,h,w,C`);
  }
  const [frames, height, width, channels] = numbers;
  const levels = numberOption('levels', values.levels, 2, 256) ?? 2;
  const passes = numberOption('passes', values.passes, 1, 1e6) ?? 5;
  return { files: { symbols, tables, rates, sequences }, shape: { height, width, channels, levels }, frames, passes };
}

/** @throws TrainingDataError, HuffmanError for files that do not fit together */
function measure({ files, shape, frames, passes }: Plan): Row[] {
  const { height, width, channels } = shape;
  const data = openTrainingData(files.symbols, shape, frames, files.rates);

  const counts = countChannels(data);
  const framesOf = counts.map((_, rate) => data.frameRates.reduce((n, r) => n + (r === rate ? 1 : 0), 0));
  const entropy = counts.map(
    (c, rate) => c.reduce((bits, perSymbol) => bits + entropyBits(perSymbol), 0) / 8 / framesOf[rate],
  );
  const rows: Row[] = entropy.map((bytes, rate) =>
    row(entropy, 'entropy of each channel', rate, framesOf[rate], bytes),
  );

  const deflated = framesOf.map(() => 0);
  eachFrame(data, (symbols, rate) => {
    deflated[rate] += deflateRawSync(symbols, { level: 9 }).length;
  });
  deflated.forEach((sum, rate) => {
    rows.push(row(entropy, 'zlib level 9', rate, framesOf[rate], sum / framesOf[rate]));
  });

  for (const file of files.tables) {
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
          const length = reference
            ? coder.encodeInter(symbols, reference, rate, out)
            : coder.encode(symbols, rate, out);
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
        rows.push({ ...row(entropy, method, rate, coded, sum.bytes / coded), ...times });
      });
    };
    measured(file, (visit) => eachFrame(data, (symbols, rate) => visit(symbols, rate)));
    if (files.sequences === undefined || !coder.inter) continue;
    const sequences = readSequences(files.sequences, frames);
    measured(`${file}, against the frame before`, (visit) =>
      eachPair(data, sequences, (symbols, reference, rate) => visit(symbols, rate, reference)),
    );
  }
  return rows.sort((a, b) => a.rate - b.rate);
}

function row(entropy: readonly number[], method: string, rate: number, count: number, bytes: number): Row {
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

runMain(usage, async (args) => {
  const values = read(args);
  const planned = plan(values);
  let rows: Row[];
  try {
    rows = measure(planned);
  } catch (error) {
    if (!(error instanceof TrainingDataError || error instanceof HuffmanError)) throw error;
    throw new DeepcodError('input', error.message, undefined, ExitCode.usage);
  }
  console.table(rows);
  const { shape, frames } = planned;
  const report = { shape, frames, node: process.version, cpu: cpus()[0]?.model ?? 'unknown', rows };
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
  return ExitCode.ok;
});
