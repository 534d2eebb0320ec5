/**
 * Canonical Huffman against node:zlib with Z_HUFFMAN_ONLY and against the entropy bound, in the same run.
 *
 * JSON: {runs, node, cpu, rows: [{data, symbols, entropy_bytes, bytes, zlib_bytes, encode_ms, decode_ms, ...}]}
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { codeLengths, openCoder, smoothed, writePlainTables } from '../agent/huffman/index.js';
import { ExitCode } from '../platform/errors.js';
import { runMain } from '../platform/main.js';
import { numberOption, parseOptions, text } from '../platform/options.js';

interface Row {
  data: string;
  symbols: number;
  entropy_bytes: number;
  best_huffman_bytes: number;
  bytes: number;
  zlib_bytes: number;
  size_over_best_huffman: number;
  encode_ms: number;
  decode_ms: number;
  zlib_encode_ms: number;
  zlib_decode_ms: number;
  encode_speedup: number;
  decode_speedup: number;
  encode_msymbols_s: number;
  decode_msymbols_s: number;
}

const LEVELS = 31;

const usage = `usage: npm run bench:huffman -- [options]

The plain form of the entropy coder beside node:zlib (Z_HUFFMAN_ONLY) and the entropy bound, on made-up symbols.

  --symbols N  how many, at least 960 (default: 260000)
  --runs N     passes of each, at least 3; the median counts (default: 61)
  --json FILE  write the report
  --help       this text

Exit codes: 0 done, 1 unexpected, 2 wrong usage.`;

/** xorshift32: the same symbols on every machine. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Two-sided geometric symbols around the middle level; `zero(channel)` is the chance of the middle. */
function skewed(count: number, channels: number, zero: (channel: number) => number): Uint8Array {
  const random = randomNumbers(0x2545f491);
  const middle = LEVELS >> 1;
  return Uint8Array.from({ length: count }, (_, i) => {
    const p = zero(i % channels);
    if (random() < p) return middle;
    const sign = random() < 0.5 ? -1 : 1;
    let magnitude = 1;
    while (magnitude < middle && random() < (1 - p) * 0.8) magnitude++;
    return middle + sign * magnitude;
  });
}

function median(runs: number, work: () => void): number {
  for (let i = 0; i < 10; i++) work();
  const times = Array.from({ length: runs }, () => {
    const start = process.hrtime.bigint();
    work();
    return Number(process.hrtime.bigint() - start) / 1e6;
  });
  return times.sort((a, b) => a - b)[runs >> 1];
}

/** How much to measure with. */
interface Amount {
  symbolCount: number;
  runs: number;
}

function measure(
  { symbolCount, runs }: Amount,
  data: string,
  channels: number,
  zero: (channel: number) => number,
): Row {
  const width = Math.floor(symbolCount / channels);
  const shape = { height: 1, width: 1, channels, levels: LEVELS };
  for (shape.height = Math.floor(Math.sqrt(width)); width % shape.height !== 0; ) shape.height--;
  shape.width = width / shape.height;
  const symbols = skewed(width * channels, channels, zero);

  const counts = Array.from({ length: channels }, () => new Float64Array(LEVELS));
  symbols.forEach((symbol, i) => {
    counts[i % channels][symbol]++;
  });
  let entropyBits = 0;
  let bestBits = 0;
  for (const perSymbol of counts) {
    const best = codeLengths(perSymbol);
    perSymbol.forEach((n, symbol) => {
      if (n > 0) entropyBits -= n * Math.log2(n / width);
      bestBits += n * best[symbol];
    });
  }
  const coder = openCoder(writePlainTables([counts.map((c) => codeLengths(smoothed(c)))]), shape);
  const out = new Uint8Array(coder.maxBytes);
  const bytes = coder.encode(symbols, 0, out);
  const payload = out.slice(0, bytes);
  const back = new Uint8Array(symbols.length);
  coder.decode(payload, 0, back);
  if (Buffer.compare(symbols, back) !== 0) throw new Error('the round trip is not exact');

  const options = { strategy: constants.Z_HUFFMAN_ONLY };
  const deflated = deflateRawSync(symbols, options);
  const encode = median(runs, () => coder.encode(symbols, 0, out));
  const zlibEncode = median(runs, () => deflateRawSync(symbols, options));
  const decode = median(runs, () => coder.decode(payload, 0, back));
  const zlibDecode = median(runs, () => inflateRawSync(deflated));
  const round = (value: number, digits = 3) => Number(value.toFixed(digits));
  return {
    data,
    symbols: symbols.length,
    entropy_bytes: Math.ceil(entropyBits / 8),
    best_huffman_bytes: Math.ceil(bestBits / 8),
    bytes,
    zlib_bytes: deflated.length,
    size_over_best_huffman: round(bytes / Math.ceil(bestBits / 8), 5),
    encode_ms: round(encode),
    decode_ms: round(decode),
    zlib_encode_ms: round(zlibEncode),
    zlib_decode_ms: round(zlibDecode),
    encode_speedup: round(zlibEncode / encode, 2),
    decode_speedup: round(zlibDecode / decode, 2),
    encode_msymbols_s: round(symbols.length / encode / 1e3, 0),
    decode_msymbols_s: round(symbols.length / decode / 1e3, 0),
  };
}

runMain(usage, async (args) => {
  const values = parseOptions(args, { symbols: text, runs: text, json: text });
  const symbolCount = numberOption('symbols', values.symbols, 960, 1e8) ?? 260_000;
  const runs = numberOption('runs', values.runs, 3, 1e6) ?? 61;
  const amount: Amount = { symbolCount, runs };
  const rows = [
    measure(amount, 'one table, 2.2 bits a symbol', 1, () => 0.5),
    measure(amount, 'one table, 1.3 bits a symbol', 1, () => 0.8),
    measure(amount, 'one table, 3.2 bits a symbol', 1, () => 0.3),
    measure(amount, '96 tables, 0.3 to 0.97 zero', 96, (channel) => 0.3 + (0.67 * channel) / 95),
  ];
  console.table(
    rows.map((row) => ({
      data: row.data,
      'bytes (entropy)': `${row.bytes} (${row.entropy_bytes})`,
      '/ best Huffman': row.size_over_best_huffman,
      'encode ms (zlib)': `${row.encode_ms} (${row.zlib_encode_ms})`,
      'decode ms (zlib)': `${row.decode_ms} (${row.zlib_decode_ms})`,
      'encode x zlib': row.encode_speedup,
      'decode x zlib': row.decode_speedup,
    })),
  );
  const report = { runs, node: process.version, cpu: cpus()[0]?.model ?? 'unknown', rows };
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
  return ExitCode.ok;
});
