import t from 'tap';
import { writeModel } from '../../agent/huffman/context/model-json.js';
import { type CodeShape, openCoder } from '../../agent/huffman/index.js';
import { errorCode, fenced } from './check.js';
import { Random } from './random.js';
import { contextTables, patchySymbols, plainTables, randomModel } from './tables.js';

function interTables(random: Random, shape: CodeShape, rates = 1): object {
  const inter = Array.from({ length: rates }, () => writeModel(randomModel(random, shape, true)));
  return { ...contextTables(random, shape, rates), inter };
}

/** A frame that differs from another at a few places. */
function changed(random: Random, reference: Uint8Array, levels: number, share: number): Uint8Array {
  return reference.map((symbol) => (random.next() < share ? random.integer(0, levels - 1) : symbol));
}

t.test('frames come back against a reference', async (t) => {
  const random = new Random(50);
  let bytes = 0;
  for (let i = 0; i < 120; i++) {
    const levels = random.integer(1, i % 10 === 0 ? 256 : 33);
    const shape = {
      height: random.integer(1, 16),
      width: random.integer(1, 16),
      channels: random.integer(1, 14),
      levels,
    };
    const coder = openCoder(interTables(random, shape, 2), shape);
    t.equal(coder.inter, true);
    const reference = patchySymbols(random, shape);
    for (const share of [0, 0.01, 0.3, 1]) {
      const symbols = changed(random, reference, levels, share);
      const out = fenced(coder.maxBytes);
      const length = coder.encodeInter(symbols, reference, i % 2, out.bytes);
      const back = fenced(symbols.length);
      coder.decodeInter(out.bytes.slice(0, length), reference, i % 2, back.bytes);
      if (Buffer.compare(back.bytes, symbols) !== 0) t.fail(`case ${i}, ${share}: differs`);
      if (!out.intact() || !back.intact()) t.fail(`case ${i}, ${share}: wrote outside`);
      const inPlace = reference.slice();
      coder.decodeInter(out.bytes.slice(0, length), inPlace, i % 2, inPlace);
      if (Buffer.compare(inPlace, symbols) !== 0) t.fail(`case ${i}, ${share}: differs in place`);
      bytes += length;
    }
  }
  t.ok(bytes > 10_000);
});

t.test('wrong calls, cut and mutated payloads', async (t) => {
  const random = new Random(51);
  const shape = { height: 9, width: 8, channels: 6, levels: 15 };
  const codes = new Map<string | undefined, number>();
  for (let model = 0; model < 15; model++) {
    const coder = openCoder(interTables(random, shape), shape);
    const reference = patchySymbols(random, shape);
    const symbols = changed(random, reference, shape.levels, 0.1);
    const buffer = new Uint8Array(coder.maxBytes);
    const payload = buffer.slice(0, coder.encodeInter(symbols, reference, 0, buffer));
    const back = fenced(symbols.length);
    back.bytes.fill(0);
    const decode = (bytes: Uint8Array) => {
      const code = errorCode(() => coder.decodeInter(bytes, reference, 0, back.bytes));
      codes.set(code, (codes.get(code) ?? 0) + 1);
      if (back.bytes.some((symbol) => symbol >= shape.levels)) t.fail('a symbol out of range');
      return code;
    };
    for (let length = 0; length < payload.length; length++) {
      if (decode(payload.slice(0, length)) === undefined) t.fail(`cut to ${length} bytes`);
    }
    t.equal(decode(Buffer.concat([payload, new Uint8Array(1)])), 'trailing');
    for (let i = 0; i < 400; i++) {
      const bytes = i % 3 === 0 ? random.bytes(random.integer(0, payload.length * 2)) : payload.slice();
      if (i % 3 !== 0) bytes[random.integer(0, bytes.length - 1)] ^= 1 << random.integer(0, 7);
      decode(bytes);
    }
    t.ok(back.intact());
    t.equal(
      errorCode(() => coder.encodeInter(symbols, reference, 0, new Uint8Array(payload.length - 1))),
      'space',
    );
    t.equal(
      errorCode(() => coder.encodeInter(symbols, reference.subarray(1), 0, buffer)),
      'symbols',
    );
    t.equal(
      errorCode(() => coder.encodeInter(symbols, reference.slice().fill(15), 0, buffer)),
      'symbols',
    );
    t.equal(
      errorCode(() => coder.decodeInter(payload, reference.slice().fill(15), 0, back.bytes)),
      'symbols',
    );
    t.equal(
      errorCode(() => coder.decodeInter(payload, reference, 1, back.bytes)),
      'rate',
    );
  }
  const known = [undefined, 'truncated', 'trailing', 'padding', 'corrupt'];
  t.ok([...codes.keys()].every((code) => known.includes(code)) && codes.size > 2, JSON.stringify([...codes]));
});

t.test('tables without inter-frame models say so', async (t) => {
  const random = new Random(52);
  const shape = { height: 2, width: 2, channels: 2, levels: 5 };
  const symbols = new Uint8Array(8);
  for (const tables of [plainTables(random, shape), contextTables(random, shape)]) {
    const coder = openCoder(tables, shape);
    t.equal(coder.inter, false);
    t.equal(
      errorCode(() => coder.encodeInter(symbols, symbols, 0, new Uint8Array(99))),
      'unsupported',
    );
    t.equal(
      errorCode(() => coder.decodeInter(symbols, symbols, 0, symbols)),
      'unsupported',
    );
  }
  const two = interTables(random, shape, 2) as { inter: unknown[] };
  two.inter.pop();
  t.equal(
    errorCode(() => openCoder(two, shape)),
    'tables',
    'one model per rate',
  );
});
