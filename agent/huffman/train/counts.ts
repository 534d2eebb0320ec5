import { eachFrame, type TrainingData } from './input.js';

/** How often each symbol was seen, `[channel][symbol]`. */
export type ChannelCounts = Float64Array[];

/** Counts symbols per rate and channel. */
export function countChannels(data: TrainingData): ChannelCounts[] {
  const { channels, levels } = data.shape;
  const counts = Array.from({ length: data.rates }, () =>
    Array.from({ length: channels }, () => new Float64Array(levels)),
  );
  eachFrame(data, (symbols, rate) => {
    const perChannel = counts[rate];
    for (let i = 0; i < symbols.length; ) {
      for (let channel = 0; channel < channels; channel++, i++) perChannel[channel][symbols[i]]++;
    }
  });
  return counts;
}

/** Bits that an ideal coder needs for symbols with these counts, knowing nothing else. */
export function entropyBits(counts: ArrayLike<number>): number {
  let total = 0;
  let bits = 0;
  for (let i = 0; i < counts.length; i++) {
    if (counts[i] === 0) continue;
    total += counts[i];
    bits -= counts[i] * Math.log2(counts[i]);
  }
  return total === 0 ? 0 : bits + total * Math.log2(total);
}
