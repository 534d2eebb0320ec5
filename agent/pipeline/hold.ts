import type { Code } from './head.js';

/**
 * Keeps symbols of the reference wherever they still stand for the picture: a value on the edge between two centres
 * otherwise gives another symbol with every breath of noise, and each one costs bits. What is kept is at most a quarter
 * of a step further from the value than the nearest centre may be, and never adds up: each frame is held against its own values.
 *
 * @param code its symbols are changed in place; nothing happens without alternates
 * @param reference symbols of the reference, of the same shape
 */
export function holdSymbols({ symbols, alternates }: Code, reference: Uint8Array): void {
  if (alternates === undefined) return;
  // Nearly all symbols are those of the reference: four at a time are passed over.
  const now = words(symbols);
  const before = words(reference);
  const whole = Math.min(now.length, before.length);
  for (let word = 0; word < whole; word++) {
    if (now[word] !== before[word]) hold(symbols, alternates, reference, 4 * word, 4 * word + 4);
  }
  hold(symbols, alternates, reference, 4 * whole, symbols.length);
}

function hold(symbols: Uint8Array, alternates: Uint8Array, reference: Uint8Array, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    if (alternates[i] === reference[i]) symbols[i] = reference[i];
  }
}

/** Whole words of an array, as a view; none where it does not begin on a word. */
function words({ buffer, byteOffset, length }: Uint8Array): Uint32Array {
  return byteOffset % 4 === 0 ? new Uint32Array(buffer, byteOffset, length >> 2) : new Uint32Array(0);
}
