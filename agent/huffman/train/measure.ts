import { openCoder } from '../coder.js';
import { type ChannelCounts, entropyBits } from './counts.js';
import { eachFrame, type TrainingData } from './input.js';
import { eachPair } from './pairs.js';

/** What the frames of one rate take. */
export interface RateReport {
  rate: number;
  frames: number;
  /** Mean payload, as the coder writes it. */
  payload_bytes_mean: number;
  payload_bytes_max: number;
  /** Mean of the ideal code of each channel by itself: the bound of the plain form. */
  channel_entropy_bytes_mean: number;
  /** Mean of an ideal arithmetic coder with the same contexts (context form). */
  ideal_bytes_mean?: number;
  /** Share of symbols that are the middle level. */
  zero_share: number;
  /** The same for frames coded against their predecessor (with sequences). */
  inter?: { frames: number; payload_bytes_mean: number; ideal_bytes_mean: number; changed_share: number };
}

/** Codes every frame with finished tables, decodes it again, and reports sizes; fails if a frame does not come back. */
export function measure(
  data: TrainingData,
  tables: object,
  counts: ChannelCounts[],
  idealBits?: number[],
): RateReport[] {
  const coder = openCoder(tables, data.shape);
  const out = new Uint8Array(coder.maxBytes);
  const back = new Uint8Array(data.shape.height * data.shape.width * data.shape.channels);
  const rows = counts.map((perChannel, rate): RateReport => {
    const frames = data.frameRates.reduce((n, r) => n + (r === rate ? 1 : 0), 0);
    const zeros = perChannel.reduce((n, perSymbol) => n + perSymbol[data.shape.levels >> 1], 0);
    return {
      rate,
      frames,
      payload_bytes_mean: 0,
      payload_bytes_max: 0,
      channel_entropy_bytes_mean: perChannel.reduce((bits, c) => bits + entropyBits(c), 0) / 8 / frames,
      ...(idealBits === undefined ? {} : { ideal_bytes_mean: idealBits[rate] / 8 }),
      zero_share: zeros / (frames * back.length),
    };
  });
  eachFrame(data, (symbols, rate, frame) => {
    const length = coder.encode(symbols, rate, out);
    coder.decode(out.subarray(0, length), rate, back);
    if (Buffer.compare(symbols, back) !== 0) throw new Error(`frame ${frame} does not come back: a fault of the coder`);
    rows[rate].payload_bytes_mean += length; // the sum, until all frames are seen
    rows[rate].payload_bytes_max = Math.max(rows[rate].payload_bytes_max, length);
  });
  for (const row of rows) row.payload_bytes_mean /= row.frames;
  return rows;
}

/** Adds what frames take against their predecessors, each checked to come back. */
export function measureInter(
  data: TrainingData,
  tables: object,
  sequences: Uint16Array,
  idealBits: number[],
  rows: RateReport[],
): void {
  const coder = openCoder(tables, data.shape);
  const out = new Uint8Array(coder.maxBytes);
  const back = new Uint8Array(data.shape.height * data.shape.width * data.shape.channels);
  const sums = rows.map(() => ({ frames: 0, bytes: 0, changed: 0 }));
  eachPair(data, sequences, (symbols, reference, rate) => {
    const length = coder.encodeInter(symbols, reference, rate, out);
    coder.decodeInter(out.subarray(0, length), reference, rate, back);
    if (Buffer.compare(symbols, back) !== 0) throw new Error('a frame does not come back: a fault of the coder');
    sums[rate].frames++;
    sums[rate].bytes += length;
    for (let i = 0; i < symbols.length; i++) if (symbols[i] !== reference[i]) sums[rate].changed++;
  });
  sums.forEach(({ frames, bytes, changed }, rate) => {
    rows[rate].inter = {
      frames,
      payload_bytes_mean: bytes / frames,
      ideal_bytes_mean: idealBits[rate] / 8,
      changed_share: changed / (frames * back.length),
    };
  });
}
