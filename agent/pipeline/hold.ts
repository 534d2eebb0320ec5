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
  for (let i = 0; i < symbols.length; i++) {
    if (alternates[i] === reference[i]) symbols[i] = reference[i];
  }
}
