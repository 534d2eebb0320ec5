import { readFileSync } from 'node:fs';
import { eachFrame, type TrainingData, TrainingDataError } from './input.js';

/** Last frames that are kept at a time, for sequences that take turns in the file. */
const MAX_OPEN = 64;

/**
 * Reads which sequence each frame belongs to: one little-endian uint16 per frame.
 * @throws TrainingDataError
 */
export function readSequences(path: string, frames: number): Uint16Array {
  const bytes = readFileSync(path);
  if (bytes.length !== 2 * frames) {
    throw new TrainingDataError(`${path} has ${bytes.length} bytes, two per frame would be ${2 * frames}`);
  }
  return Uint16Array.from({ length: frames }, (_, i) => bytes.readUInt16LE(2 * i));
}

/** Calls `visit` with every frame that has a predecessor of the same sequence and rate, and with that predecessor. */
export function eachPair(
  data: TrainingData,
  sequences: Uint16Array,
  visit: (symbols: Uint8Array, reference: Uint8Array, rate: number) => void,
): void {
  const last = new Map<number, Uint8Array>();
  eachFrame(data, (symbols, rate, frame) => {
    const key = sequences[frame] * 256 + rate;
    const reference = last.get(key);
    if (reference !== undefined) visit(symbols, reference, rate);
    const kept = reference ?? new Uint8Array(symbols.length);
    kept.set(symbols);
    last.delete(key);
    last.set(key, kept);
    if (last.size > MAX_OPEN) last.delete(last.keys().next().value as number);
  });
}

/** How many pairs {@link eachPair} finds for each rate. */
export function countPairs(data: TrainingData, sequences: Uint16Array): number[] {
  const pairs = new Array<number>(data.rates).fill(0);
  const seen: number[] = [];
  data.frameRates.forEach((rate, frame) => {
    const key = sequences[frame] * 256 + rate;
    const at = seen.indexOf(key);
    if (at >= 0) {
      pairs[rate]++;
      seen.splice(at, 1);
    }
    seen.push(key);
    if (seen.length > MAX_OPEN) seen.shift();
  });
  return pairs;
}
