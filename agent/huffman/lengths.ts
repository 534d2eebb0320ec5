/** Longest code that any table may hold, in bits. */
export const MAX_CODE_BITS = 15;

/**
 * Code lengths of the best prefix code in which no code is longer than `maxBits`
 * (package-merge: Larmore and Hirschberg, "A fast algorithm for optimal length-limited Huffman codes", 1990).
 *
 * Every symbol gets a code, so a weight of zero is as good as the smallest weight. An alphabet of one symbol needs
 * no bits: its length is 0. Ties are broken by symbol index, so equal weights give equal tables on every machine.
 *
 * @param weights how often each symbol is seen; finite, not negative; 1 to 2^maxBits of them
 * @returns one length per symbol, 1..maxBits (0 for an alphabet of one); the Kraft sum is exactly 1
 */
export function codeLengths(weights: ArrayLike<number>, maxBits = MAX_CODE_BITS): Uint8Array {
  const n = weights.length;
  if (n < 1 || n > 2 ** maxBits) throw new RangeError(`${n} symbols do not fit codes of ${maxBits} bits`);
  const lengths = new Uint8Array(n);
  if (n === 1) return lengths;
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => weights[a] - weights[b] || a - b);
  const leaves = Float64Array.from(order, (symbol) => weights[symbol]);

  // isLeaf[b][i]: whether the i-th cheapest item of round b is a symbol (else two items of the round before).
  const isLeaf: Uint8Array[] = [];
  let previous = new Float64Array(0);
  for (let bit = 0; bit < maxBits; bit++) {
    const packages = previous.length >> 1;
    const items = new Float64Array(n + packages);
    const flags = new Uint8Array(n + packages);
    for (let i = 0, leaf = 0, pack = 0; i < items.length; i++) {
      const cost = pack < packages ? previous[2 * pack] + previous[2 * pack + 1] : Number.POSITIVE_INFINITY;
      if (leaf < n && leaves[leaf] <= cost) {
        items[i] = leaves[leaf++];
        flags[i] = 1;
      } else {
        items[i] = cost;
        pack++;
      }
    }
    isLeaf.push(flags);
    previous = items;
  }

  // The 2n - 2 cheapest items of the last round, taken apart: a symbol's length is how often it occurs.
  let take = 2 * n - 2;
  for (let bit = maxBits - 1; bit >= 0 && take > 0; bit--) {
    let symbols = 0;
    for (let i = 0; i < take; i++) symbols += isLeaf[bit][i];
    for (let i = 0; i < symbols; i++) lengths[order[i]]++;
    take = 2 * (take - symbols);
  }
  return lengths;
}

/**
 * Weights for {@link codeLengths} from counts: half a sighting is added to every symbol (Krichevsky-Trofimov), so that
 * what the training data never showed still has a code, at a cost near what the amount of data justifies.
 */
export function smoothed(counts: ArrayLike<number>): Float64Array {
  return Float64Array.from(counts, (count) => 2 * count + 1);
}
