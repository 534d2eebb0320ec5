import t from 'tap';
import { checkLengths, reversedCodes } from '../../agent/huffman/canonical.js';
import { codeLengths, smoothed } from '../../agent/huffman/lengths.js';
import { errorCode } from './check.js';
import { Random } from './random.js';

const cost = (lengths: ArrayLike<number>, weights: ArrayLike<number>) =>
  Array.from(lengths).reduce((sum, length, i) => sum + length * weights[i], 0);

/** The cost of an unlimited Huffman code: the sum of all merged weights. */
function huffmanCost(weights: ArrayLike<number>): number {
  const heap = Array.from(weights);
  let sum = 0;
  while (heap.length > 1) {
    heap.sort((a, b) => b - a);
    const merged = Number(heap.pop()) + Number(heap.pop());
    sum += merged;
    heap.push(merged);
  }
  return sum;
}

/** The best code of at most `maxBits` for few symbols, by trying them all. */
function bruteForce(weights: number[], maxBits: number): number {
  const sorted = [...weights].sort((a, b) => b - a);
  let best = Number.POSITIVE_INFINITY;
  const walk = (i: number, from: number, room: number, sum: number) => {
    if (i === sorted.length) {
      best = Math.min(best, sum);
      return;
    }
    for (let length = from; length <= maxBits; length++) {
      const used = 2 ** (maxBits - length);
      if (used <= room) walk(i + 1, length, room - used, sum + length * sorted[i]);
    }
  };
  walk(0, 1, 2 ** maxBits, 0);
  return best;
}

t.test('as good as Huffman where the limit does not bind', async (t) => {
  const random = new Random(1);
  let checked = 0;
  for (let i = 0; i < 200; i++) {
    const weights = Float64Array.from({ length: random.integer(2, 256) }, () => random.integer(100, 1000));
    const lengths = codeLengths(weights);
    checkLengths(lengths, 'test');
    if (cost(lengths, weights) !== huffmanCost(weights)) t.fail(`case ${i}: not optimal`);
    checked++;
  }
  t.equal(checked, 200);
});

t.test('the best of all codes where the limit binds', async (t) => {
  const random = new Random(2);
  for (let i = 0; i < 60; i++) {
    const maxBits = random.integer(3, 4);
    const weights = Array.from({ length: random.integer(2, 8) }, () => Math.floor(2 ** (random.next() * 12)));
    t.equal(cost(codeLengths(weights, maxBits), weights), bruteForce(weights, maxBits), `case ${i}`);
  }
});

t.test('longest codes, ties, zeros and one symbol', async (t) => {
  const fibonacci = [1, 1];
  while (fibonacci.length < 40) fibonacci.push(fibonacci[fibonacci.length - 1] + fibonacci[fibonacci.length - 2]);
  const lengths = codeLengths(fibonacci);
  checkLengths(lengths, 'fibonacci');
  t.equal(Math.max(...lengths), 15);
  t.same([...codeLengths([7])], [0]);
  t.same([...codeLengths([0, 0])], [1, 1]);
  t.same([...codeLengths([5, 5, 5])], [2, 2, 1], 'ties are broken by index');
  t.same([...codeLengths([0, 9, 0, 0])], [2, 1, 3, 3].sort((a, b) => a - b) && [3, 1, 3, 2]);
  t.same([...smoothed([0, 3])], [1, 7]);
  t.throws(() => codeLengths([]), RangeError);
  t.throws(() => codeLengths(new Uint8Array(9), 3), RangeError);
});

t.test('canonical codes are prefix free and in order', async (t) => {
  t.same([...reversedCodes(Uint8Array.of(2, 1, 3, 3))], [0b01, 0b0, 0b011, 0b111], 'codes 10, 0, 110, 111');
  const random = new Random(3);
  for (let i = 0; i < 50; i++) {
    const lengths = codeLengths(random.weights(random.integer(2, 64)));
    const codes = reversedCodes(lengths);
    const clash = codes.some((a, x) =>
      codes.some((b, y) => x !== y && lengths[x] <= lengths[y] && (b & ((1 << lengths[x]) - 1)) === a),
    );
    if (clash) t.fail(`case ${i}: one code starts another`);
  }
});

t.test('lengths that are no complete prefix code are refused', async (t) => {
  const code = (...lengths: number[]) => errorCode(() => checkLengths(Uint8Array.from(lengths), 'x'));
  t.equal(code(1, 1), undefined);
  t.equal(code(0), undefined);
  for (const bad of [[1], [1, 2], [1, 1, 1], [0, 0], [0, 1], [1, 16, 2], [15, 15]]) t.equal(code(...bad), 'tables');
});
