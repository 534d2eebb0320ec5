import t from 'tap';
import { holdSymbols } from '../../agent/pipeline/hold.js';
import { Random } from '../huffman/random.js';

t.test('a symbol stays as in the reference where that is its alternate, and only there', async (t) => {
  const random = new Random(5);
  const n = 10_001;
  const draw = () => random.bytes(n).map((v) => v % 4);
  const [given, alternates, reference] = [draw(), draw(), draw()];
  const symbols = given.slice();
  holdSymbols({ symbols, alternates }, reference);
  t.same(
    [...symbols],
    [...given].map((v, i) => (alternates[i] === reference[i] ? reference[i] : v)),
  );
  t.ok(Buffer.compare(symbols, given) !== 0);
});

t.test('without alternates nothing changes', async (t) => {
  const symbols = Uint8Array.of(1, 2, 3);
  holdSymbols({ symbols }, Uint8Array.of(2, 2, 2));
  t.same([...symbols], [1, 2, 3]);
});
