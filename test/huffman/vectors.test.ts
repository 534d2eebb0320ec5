import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { writeModel } from '../../agent/huffman/context/model-json.js';
import { type CodeShape, openCoder } from '../../agent/huffman/index.js';
import { errorCode } from './check.js';
import { Random } from './random.js';
import { contextTables, patchySymbols, randomModel } from './tables.js';

const packageRoot = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * Golden vectors of the context form, printed in docs/entropy.md: payloads and bundles in the field must stay readable,
 * so these bits never change under version 1.
 */
const shape = { height: 2, width: 4, channels: 2, levels: 5 };
const common = {
  order: [1, 0],
  zero: [2, 2],
  near: [100, 80, 20, 20, 5, 5, 60, 60, 0, 0, 0, 0],
  sources: [[1, 150, 40], []],
  classes: Array.from({ length: 64 }, (_, i) => (i < 24 ? 0 : i < 34 ? 1 : 2)),
  // 12 buckets of 3 distances each; 5 distances.
  streams: ['r12445667778888999999aaaaabbbbbbbbaaa', 'r12445667778888999999aaaaabbbbbbbbaaa', 'd12344'],
  signClasses: [0, 0, 1, 1, 1, 1, 1, 1, 1],
  signs: ['124455667777'],
  tail: '11',
};
const tables = {
  form: 'context',
  version: 1,
  channels: 2,
  levels: 5,
  models: [{ ...common, bias: [60, 700], predict: [0, [0, 300, 1, 3, 160, 1, 1, 96]] }],
  inter: [{ ...common, bias: [40, 300, 500, 60, 400, 600], predict: [] }],
};
const coder = openCoder(tables, shape);
// Positions in reading order, both channels of a position together.
const busy = Uint8Array.of(2, 3, 2, 4, 3, 4, 2, 3, 2, 2, 1, 4, 4, 4, 0, 0);
const quiet = new Uint8Array(16).fill(2);
const after = Uint8Array.of(2, 3, 2, 4, 3, 3, 2, 3, 2, 2, 1, 4, 2, 4, 0, 0);

const vectors: { name: string; symbols: Uint8Array; reference?: Uint8Array; payload: string }[] = [
  { name: 'busy', symbols: busy, payload: 'a4e8f5eeb3' },
  { name: 'quiet', symbols: quiet, payload: '7ff007' },
  { name: 'after busy', symbols: after, reference: busy, payload: 'f7cfaf0b' },
  { name: 'busy again', symbols: busy, reference: busy, payload: 'ffe22b' },
];

for (const { name, symbols, reference, payload } of vectors) {
  t.test(name, async (t) => {
    const out = new Uint8Array(coder.maxBytes);
    const length =
      reference === undefined ? coder.encode(symbols, 0, out) : coder.encodeInter(symbols, reference, 0, out);
    t.equal(Buffer.from(out.subarray(0, length)).toString('hex'), payload, 'encoded');
    const bytes = Buffer.from(payload, 'hex');
    const back = new Uint8Array(16);
    if (reference === undefined) coder.decode(bytes, 0, back);
    else coder.decodeInter(bytes, reference, 0, back);
    t.same([...back], [...symbols], 'decoded');
    const longer = Buffer.concat([bytes, Buffer.alloc(1)]);
    t.equal(
      errorCode(() => (reference ? coder.decodeInter(longer, reference, 0, back) : coder.decode(longer, 0, back))),
      'trailing',
    );
  });
}

t.test('an independent decoder reads the same symbols', async (t) => {
  const script = join(packageRoot, 'test', 'huffman', 'reference_decoder.py');
  if (spawnSync('python3', ['--version']).status !== 0) {
    t.pass('not run: there is no python3 here');
    return;
  }
  const random = new Random(60);
  const file = join(t.testdir({ 'tables.json': '' }), 'tables.json');
  const check = (from: object, size: CodeShape, symbols: Uint8Array, reference?: Uint8Array) => {
    const made = openCoder(from, size);
    const out = new Uint8Array(made.maxBytes);
    const length = reference ? made.encodeInter(symbols, reference, 0, out) : made.encode(symbols, 0, out);
    writeFileSync(file, JSON.stringify(from));
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
    const args = [script, file, `${size.height}x${size.width}`, '0', hex(out.subarray(0, length))];
    if (reference) args.push(hex(reference));
    const done = spawnSync('python3', args, { encoding: 'utf8' });
    t.equal(done.stdout.trim(), hex(symbols), done.stderr);
  };
  for (const vector of vectors) check(tables, shape, vector.symbols, vector.reference);
  for (let i = 0; i < 6; i++) {
    const size = {
      height: random.integer(3, 9),
      width: random.integer(3, 9),
      channels: random.integer(2, 9),
      levels: 31,
    };
    const from = { ...contextTables(random, size), inter: [writeModel(randomModel(random, size, true))] };
    const reference = patchySymbols(random, size);
    check(from, size, reference);
    const next = reference.map((symbol) => (random.next() < 0.05 ? random.integer(0, 30) : symbol));
    check(from, size, next, reference);
  }
});
