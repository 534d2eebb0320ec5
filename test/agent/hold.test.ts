import t from 'tap';
import { holdSymbols } from '../../agent/pipeline/hold.js';
import { Random } from '../huffman/random.js';

t.test('a symbol stays as in the reference where that is its alternate, and only there', async (t) => {
  const random = new Random(5);
  const n = 10_001;
  const draw = () => random.bytes(n).map((v) => v % 4);
  const [given, alternates] = [draw(), draw()];
  // as the given ones but here and there, as of a camera that stands still
  const reference = given.map((v) => (random.next() < 0.05 ? (v + 1) % 4 : v));
  // as a head gives them, and as views that do not begin on a word
  for (const [a, b] of [
    [0, 0],
    [1, 0],
    [0, 3],
  ]) {
    const symbols = given.slice(a);
    const other = reference.subarray(a).slice();
    const room = new Uint8Array(other.length + b);
    room.set(other, b);
    const here = a === 0 ? symbols : new Uint8Array(symbols.length + a).subarray(a);
    here.set(symbols);
    holdSymbols({ symbols: here, alternates: alternates.subarray(a) }, room.subarray(b));
    const wanted = given.slice(a).map((v, i) => (alternates[a + i] === reference[a + i] ? reference[a + i] : v));
    t.equal(Buffer.compare(here, wanted), 0, `offsets ${a} and ${b}`);
    t.not(Buffer.compare(here, given.subarray(a)), 0);
  }
});

t.test('without alternates nothing changes', async (t) => {
  const symbols = Uint8Array.of(1, 2, 3);
  holdSymbols({ symbols }, Uint8Array.of(2, 2, 2));
  t.same([...symbols], [1, 2, 3]);
});
