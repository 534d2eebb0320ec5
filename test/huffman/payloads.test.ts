import t from 'tap';
import { type CodeShape, openCoder } from '../../agent/huffman/index.js';
import { errorCode, fenced } from './check.js';
import { Random } from './random.js';
import { contextTables, patchySymbols, plainTables } from './tables.js';

const random = new Random(20);
const small = { height: 6, width: 7, channels: 5, levels: 31 };
const large = { height: 64, width: 64, channels: 8, levels: 13 };
const forms: { form: string; tables: (random: Random, shape: CodeShape) => object }[] = [
  { form: 'plain', tables: plainTables },
  { form: 'context', tables: contextTables },
];

function open(make: (random: Random, shape: CodeShape) => object, shape: CodeShape) {
  const coder = openCoder(make(random, shape), shape);
  const symbols = patchySymbols(random, shape);
  symbols[0] = 1;
  const out = new Uint8Array(coder.maxBytes);
  return { coder, symbols, payload: out.slice(0, coder.encode(symbols, 0, out)) };
}

for (const { form, tables } of forms) {
  t.test(`${form}: wrong calls`, async (t) => {
    const { coder, symbols, payload } = open(tables, small);
    const out = new Uint8Array(coder.maxBytes);
    for (const rate of [-1, 1, 0.5, Number.NaN]) {
      t.equal(
        errorCode(() => coder.encode(symbols, rate, out)),
        'rate',
      );
      t.equal(
        errorCode(() => coder.decode(payload, rate, symbols)),
        'rate',
      );
    }
    t.equal(
      errorCode(() => coder.encode(symbols.subarray(1), 0, out)),
      'symbols',
    );
    t.equal(
      errorCode(() => coder.decode(payload, 0, new Uint8Array(9))),
      'symbols',
    );
    for (const at of [0, 101, 209]) {
      for (const value of [31, 32, 255]) {
        const bad = symbols.slice();
        bad[at] = value;
        t.equal(
          errorCode(() => coder.encode(bad, 0, out)),
          'symbols',
          `symbol ${value} at ${at}`,
        );
      }
    }
  });

  for (const shape of [small, large]) {
    const size = `${shape.height}x${shape.width}x${shape.channels}`;
    t.test(`${form} ${size}: cut, lengthened, and too little room`, async (t) => {
      const { coder, symbols, payload } = open(tables, shape);
      const back = fenced(symbols.length);
      const decode = (bytes: Uint8Array) => errorCode(() => coder.decode(bytes, 0, back.bytes));
      t.equal(decode(payload), undefined);
      const step = shape === small ? 1 : Math.ceil(payload.length / 100);
      const cutErrors = ['truncated', 'padding', 'trailing', 'corrupt'];
      for (let length = 0; length < payload.length; length += step) {
        const code = decode(payload.slice(0, length));
        if (code === undefined || !cutErrors.includes(code)) t.fail(`cut to ${length} bytes: ${code}`);
      }
      for (const extra of [1, 2, 100]) {
        t.equal(decode(Buffer.concat([payload, new Uint8Array(extra)])), 'trailing', `${extra} bytes more`);
      }
      t.equal(decode(new Uint8Array(coder.maxBytes + 1)), 'trailing');
      for (let room = 0; room < payload.length; room += step) {
        const out = fenced(room);
        const code = errorCode(() => coder.encode(symbols, 0, out.bytes));
        if (code !== 'space' || !out.intact() || out.bytes.some((b) => b !== 0xa5)) t.fail(`room ${room}: ${code}`);
      }
      t.ok(back.intact());
    });

    t.test(`${form} ${size}: random and mutated payloads`, async (t) => {
      const codes = new Map<string | undefined, number>();
      for (let model = 0; model < 8; model++) {
        const { coder, symbols, payload } = open(tables, shape);
        const back = fenced(symbols.length);
        back.bytes.fill(0);
        for (let i = 0; i < (shape === small ? 1000 : 25); i++) {
          const bytes = i % 3 === 0 ? random.bytes(random.integer(0, payload.length * 2)) : payload.slice();
          for (let flips = i % 3 === 0 ? 0 : random.integer(1, 4); flips > 0; flips--) {
            bytes[random.integer(0, bytes.length - 1)] ^= 1 << random.integer(0, 7);
          }
          const code = errorCode(() => coder.decode(bytes, 0, back.bytes));
          codes.set(code, (codes.get(code) ?? 0) + 1);
          if (back.bytes.some((symbol) => symbol >= shape.levels)) t.fail('a symbol out of range');
        }
        if (!back.intact()) t.fail('wrote outside the symbols');
        coder.decode(payload, 0, back.bytes);
        t.equal(Buffer.compare(back.bytes, symbols), 0, 'the coder still works');
      }
      // A flipped bit may be a sign: that is another valid frame. The rest must fail, with a code that says how.
      const known = [undefined, 'truncated', 'trailing', 'padding', 'corrupt'];
      t.ok([...codes.keys()].every((code) => known.includes(code)) && codes.size > 2, JSON.stringify([...codes]));
    });
  }
}
