import t from 'tap';
import { codeLengths, openCoder, type SymbolCoder, writePlainTables } from '../../agent/huffman/index.js';
import { errorCode, fenced } from './check.js';
import { Random } from './random.js';

const random = new Random(20);
const shapes = [
  { height: 6, width: 7, channels: 5, levels: 31 },
  { height: 64, width: 64, channels: 8, levels: 13 },
];

function open(shape: (typeof shapes)[number]): { coder: SymbolCoder; symbols: Uint8Array; payload: Uint8Array } {
  const weights = random.weights(shape.levels);
  const tables = Array.from({ length: shape.channels }, () => codeLengths(random.weights(shape.levels)));
  const coder = openCoder(writePlainTables([tables]), shape);
  const symbols = random.symbols(shape.height * shape.width * shape.channels, weights);
  const out = new Uint8Array(coder.maxBytes);
  return { coder, symbols, payload: out.slice(0, coder.encode(symbols, 0, out)) };
}

t.test('wrong calls', async (t) => {
  const { coder, symbols, payload } = open(shapes[0]);
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

for (const shape of shapes) {
  t.test(`a payload of ${shape.height}x${shape.width}x${shape.channels}`, async (t) => {
    const { coder, symbols, payload } = open(shape);
    const back = fenced(symbols.length);
    const decode = (bytes: Uint8Array) => errorCode(() => coder.decode(bytes, 0, back.bytes));
    t.equal(decode(payload), undefined);

    const step = payload.length > 2000 ? 7 : 1;
    for (let length = 0; length < payload.length; length += step) {
      const code = decode(payload.slice(0, length));
      if (code !== 'truncated' && code !== 'padding') t.fail(`cut to ${length} bytes: ${code}`);
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

  t.test(`garbage for ${shape.height}x${shape.width}x${shape.channels}`, async (t) => {
    const { coder, symbols, payload } = open(shape);
    const back = fenced(symbols.length);
    back.bytes.fill(0);
    const codes = new Map<string | undefined, number>();
    for (let i = 0; i < (step(payload) === 1 ? 5000 : 400); i++) {
      const bytes = i % 3 === 0 ? random.bytes(random.integer(0, payload.length * 2)) : payload.slice();
      for (let flips = i % 3 === 0 ? 0 : random.integer(1, 4); flips > 0; flips--) {
        bytes[random.integer(0, bytes.length - 1)] ^= 1 << random.integer(0, 7);
      }
      const code = errorCode(() => coder.decode(bytes, 0, back.bytes));
      codes.set(code, (codes.get(code) ?? 0) + 1);
      if (back.bytes.some((symbol) => symbol >= shape.levels)) t.fail('a symbol out of range');
      back.bytes.fill(0);
    }
    t.ok((codes.get('truncated') ?? 0) > 0 && (codes.get('trailing') ?? 0) > 0, JSON.stringify([...codes]));
    t.ok(back.intact());
    t.equal(
      errorCode(() => coder.decode(payload, 0, back.bytes)),
      undefined,
      'the coder still works',
    );
    t.same(back.bytes, symbols);
  });
}

function step(payload: Uint8Array): number {
  return payload.length > 2000 ? 7 : 1;
}
