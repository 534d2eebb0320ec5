import t from 'tap';
import { codeLengths, openCoder, writePlainTables } from '../../agent/huffman/index.js';
import { errorCode, roundTrip } from './check.js';
import { Random } from './random.js';

const tablesFor = (random: Random, rates: number, channels: number, levels: number) =>
  writePlainTables(
    Array.from({ length: rates }, () => Array.from({ length: channels }, () => codeLengths(random.weights(levels)))),
  );

t.test('golden vectors: the bits do not change', async (t) => {
  // Codes: 0 -> 0, 1 -> 10, 2 -> 110, 3 -> 111; second channel: 3 -> 0, 2 -> 10, 0 -> 110, 1 -> 111.
  const tables = { form: 'plain', version: 1, channels: 2, levels: 4, lengths: [['1233', '3321']] };
  const shape = { height: 1, width: 3, channels: 2, levels: 4 };
  const coder = openCoder(tables, shape);
  const symbols = Uint8Array.of(0, 3, 2, 0, 3, 2);
  const out = new Uint8Array(coder.maxBytes);
  // 0 0 110 110 111 10, first bit in the lowest place: 01101100 -> 0x6c, 0x0f with the last bit beyond.
  const length = coder.encode(symbols, 0, out);
  t.equal(Buffer.from(out.subarray(0, length)).toString('hex'), '6c0f');
  t.equal(coder.maxBytes, 3, '6 bits for each of 3 positions');

  const large = openCoder(tables, { height: 128, width: 128, channels: 2, levels: 4 });
  const payload = roundTrip(t, large, new Uint8Array(128 * 128 * 2), 0, 'two streams');
  t.equal(payload.length, 3 + 2 * 4096);
  t.equal(Buffer.from(payload.subarray(0, 6)).toString('hex'), '001000666666');
});

t.test('random tables and symbols come back', async (t) => {
  const random = new Random(10);
  let bytes = 0;
  for (let i = 0; i < 300; i++) {
    const levels = random.integer(1, i % 10 === 0 ? 256 : 40);
    const shape = {
      height: random.integer(1, 12),
      width: random.integer(1, 12),
      channels: random.integer(1, 20),
      levels,
    };
    const coder = openCoder(tablesFor(random, 2, shape.channels, levels), shape);
    const count = shape.height * shape.width * shape.channels;
    const weights = random.weights(levels);
    bytes += roundTrip(t, coder, random.symbols(count, weights), i % 2, `case ${i}`).length;
  }
  t.ok(bytes > 10_000);
});

t.test('large frames in two streams, all table layouts', async (t) => {
  const random = new Random(11);
  for (const [height, width, channels, levels] of [
    [52, 52, 96, 31],
    [200, 200, 1, 31],
    [199, 201, 1, 256],
    [100, 101, 5, 31],
    [90, 90, 7, 2],
    [1, 40000, 1, 8],
    [1, 1, 4096, 9],
    [3, 3, 4096, 200],
  ]) {
    const shape = { height, width, channels, levels };
    const coder = openCoder(tablesFor(random, 1, channels, levels), shape);
    const symbols = random.symbols(height * width * channels, random.weights(levels));
    t.ok(roundTrip(t, coder, symbols, 0, JSON.stringify(shape)).length > 0, JSON.stringify(shape));
  }
});

t.test('one symbol only, single-symbol alphabets, longest codes', async (t) => {
  const steep = codeLengths(Float64Array.from({ length: 31 }, (_, i) => 2 ** -i));
  t.equal(Math.max(...steep), 15);
  const shape = { height: 9, width: 9, channels: 3, levels: 31 };
  const coder = openCoder(writePlainTables([[steep, steep, steep]]), shape);
  for (const symbol of [0, 1, 15, 30]) {
    const payload = roundTrip(t, coder, new Uint8Array(243).fill(symbol), 0, `symbol ${symbol}`);
    t.equal(payload.length, Math.ceil((243 * steep[symbol]) / 8));
  }
  const free = openCoder(
    { form: 'plain', version: 1, channels: 3, levels: 1, lengths: [['0', '0', '0']] },
    { ...shape, levels: 1 },
  );
  t.equal(free.maxBytes, 0);
  t.equal(roundTrip(t, free, new Uint8Array(243), 0, 'one level').length, 0);
  t.equal(
    errorCode(() => free.decode(new Uint8Array(1), 0, new Uint8Array(243))),
    'trailing',
  );
  t.equal(
    errorCode(() => free.encode(new Uint8Array(243).fill(1), 0, new Uint8Array(9))),
    'symbols',
  );
});

t.test('tables that are wrong are refused, with the place', async (t) => {
  const shape = { height: 2, width: 2, channels: 2, levels: 4 };
  const good = { form: 'plain', version: 1, channels: 2, levels: 4, lengths: [['1233', '2222']] };
  t.equal(
    errorCode(() => openCoder(good, shape)),
    undefined,
  );
  const bad: unknown[] = [
    null,
    7,
    'plain',
    [],
    {},
    { ...good, form: 'other' },
    { ...good, version: 2 },
    { ...good, channels: 3 },
    { ...good, levels: 5 },
    { ...good, lengths: undefined },
    { ...good, lengths: [] },
    { ...good, lengths: [['1233']] },
    { ...good, lengths: [['1233', '222']] },
    { ...good, lengths: [['1233', '222g']] },
    { ...good, lengths: [['1233', 2222]] },
    { ...good, lengths: [['1233', '2223']] },
    { ...good, lengths: [['1233', '0222']] },
    { ...good, lengths: Array.from({ length: 65 }, () => ['1233', '2222']) },
  ];
  for (const tables of bad)
    t.equal(
      errorCode(() => openCoder(tables, shape)),
      'tables',
      JSON.stringify(tables)?.slice(0, 80),
    );
  t.throws(() => openCoder({ ...good, lengths: [['1233', '2223']] }, shape), { message: /lengths\[0\]\[1\]/ });
  for (const change of [
    { height: 0 },
    { width: 1.5 },
    { channels: 5000 },
    { levels: 257 },
    { height: 4096, width: 4096 },
  ]) {
    t.equal(
      errorCode(() => openCoder(good, { ...shape, ...change })),
      'shape',
      JSON.stringify(change),
    );
  }
});
