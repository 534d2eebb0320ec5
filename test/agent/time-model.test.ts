import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { evaluate, leastSquares, type Observation, type Weights } from '../../agent/partition/time-model/fit.js';
import {
  fitTimeModel,
  isTimeModel,
  leaveOneOut,
  type MeasuredModel,
  measuredModel,
  predictTime,
} from '../../agent/partition/time-model/model.js';
import { type Operation, operationOf } from '../../agent/partition/time-model/ops.js';
import { openBundle } from '../../platform/bundle.js';
import { readOperators, timeOperators } from '../../platform/inference/inspect.js';
import { readOnnx } from '../../platform/inference/onnx.js';
import { defaultBundle } from '../../platform/root.js';
import { tinyBundle } from './rig.js';

/** Numbers from 0 to 1 that are the same each time. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

t.test('least squares: what was planted is found, and nothing is negative', async (t) => {
  const next = random(1);
  const planted: Weights[] = [
    [8, 0.05, 0.01],
    [0, 0.03, 0.2],
    [5, 0, 0],
    [0, 0, 0.4],
  ];
  for (const weights of planted) {
    const x = Array.from({ length: 12 }, (): Weights => [next() * 3, next() * 40, 1]);
    const found = leastSquares(x.map((x) => ({ x, ms: evaluate(weights, x) })));
    for (const [i, weight] of found.entries()) t.ok(Math.abs(weight - weights[i]) < 1e-6, `${found} is ${weights}`);
  }
  t.same(leastSquares([]), [0, 0, 0]);
  t.same(leastSquares([{ x: [0, 0, 1], ms: 3 }]), [0, 0, 3]);
});

t.test('least squares: no other weights at or above zero are better', async (t) => {
  const next = random(7);
  for (let round = 0; round < 200; round++) {
    const observations = Array.from({ length: 3 + Math.floor(next() * 10) }, (): Observation => {
      return { x: [next() * next(), 100 * next(), 1], ms: 10 * next() - 1 };
    });
    const error = (w: Weights) => observations.reduce((sum, { x, ms }) => sum + (evaluate(w, x) - ms) ** 2, 0);
    const found = leastSquares(observations);
    const least = error(found);
    for (let i = 0; i < 3; i++) {
      for (const by of [1.01, 0.99, 0]) {
        const other: [number, number, number] = [...found];
        other[i] = found[i] === 0 ? 1e-4 * (1 - by / 2) : found[i] * by;
        if (error(other) < least - 1e-9) t.fail(`${other} is better than ${found}`);
      }
    }
    if (found.some((weight) => weight < 0)) t.fail(`${found}`);
  }
});

const conv = (flops: number, bytes: number): Operation => ({ kind: 'Conv', family: 'compute', flops, bytes });
const copy = (kind: string, bytes: number): Operation => ({ kind, family: 'copy', flops: 0, bytes });

/** A model whose operators take exactly 10 ms per GFLOP and 0.1 ms per megabyte, copies 0.05. */
function exact(operations: Operation[]): MeasuredModel {
  const timed = operations.map((operation) => {
    const ms = (10 * operation.flops) / 1e9 + ((operation.family === 'copy' ? 0.05 : 0.1) * operation.bytes) / 1e6;
    return { operation, ms };
  });
  const runMs = 1.2 * timed.reduce((sum, { ms }) => sum + ms, 0);
  return { operations: timed, runMs, totalMs: runMs + 0.5 };
}

t.test(
  'the time of a model: its operators’, what comes on top of them, and the way to the thread and back',
  async (t) => {
    const measured = [
      exact([conv(1e9, 4e6), conv(2e9, 1e6), copy('Concat', 8e6)]),
      exact([conv(5e8, 9e6), copy('Concat', 2e6), copy('Slice', 3e6)]),
      exact([conv(3e9, 2e6), conv(1e8, 7e6), copy('Concat', 5e6)]),
    ];
    const model = fitTimeModel(measured);
    t.ok(isTimeModel(JSON.parse(JSON.stringify(model))));
    t.ok(Math.abs(model.scale - 1.2) < 1e-9 && Math.abs(model.overhead_ms - 0.5) < 1e-9);
    const near = (a: number | undefined, b: number) => t.ok(Math.abs((a ?? 0) - b) < 1e-6, `${a} is ${b}`);
    near(predictTime(model, [conv(4e9, 1e7)]), 0.5 + 1.2 * (40 + 1));
    t.notOk('Slice' in model.kinds, 'one is too few');
    near(predictTime(model, [copy('Slice', 1e7)]), 0.5 + 1.2 * 0.5);
    near(predictTime(model, [copy('Never seen', 1e7)]), 0.5 + 1.2 * 0.5);
    const view: Operation = { kind: 'Reshape', family: 'view', flops: 0, bytes: 0 };
    t.throws(() => predictTime(model, [view]), /no view operator like Reshape was measured/);
    for (const [i, ms] of leaveOneOut(measured).entries()) near(ms, measured[i].totalMs);
    t.same(leaveOneOut(measured.slice(1, 2)), [undefined], 'nothing to predict from');
  },
);

t.test('what a file holds is checked before it is a model', async (t) => {
  const good = { kinds: { Conv: [1, 2, 3] }, families: {}, scale: 1, overhead_ms: 0 };
  t.ok(isTimeModel(good));
  for (const wrong of [
    ...[undefined, null, 3, {}, { ...good, scale: '1' }, { ...good, overhead_ms: -1 }, { ...good, families: null }],
    { ...good, kinds: { Conv: [1, 2] } },
    { ...good, kinds: { Conv: [1, 2, -3] } },
  ]) {
    t.notOk(isTimeModel(wrong), JSON.stringify(wrong));
  }
});

t.test('an ONNX file: operators and constants', async (t) => {
  const { nodes, constants } = readOnnx(readFileSync(join(tinyBundle, 'heads/input.onnx')));
  t.ok(nodes.length > 3 && nodes.every(({ type, outputs }) => type && outputs.length > 0));
  t.ok(constants.size > 0);
  const heads = await openBundle(defaultBundle());
  const { constants: outside } = readOnnx(readFileSync(heads.file('stage1.head.onnx')));
  const weights = [...outside.values()].find(({ dims, type }) => dims.length === 4 && type === 'float16');
  t.match(weights, { location: 'weights.bin' });
  t.throws(() => readOnnx(Buffer.from('no model')));
});

t.test('the operators of the default bundle: as many FLOPs as its manifest says, the same read as run', async (t) => {
  const { manifest, file } = await openBundle(defaultBundle());
  for (const { id, head, flops } of manifest.partitions) {
    const timed = await timeOperators({ model: file(head), threads: 1 }, 2);
    t.ok(timed.every(({ times }) => times.length === 2));
    const { operations } = measuredModel(timed, 1, 2);
    const sum = operations.reduce((total, { operation }) => total + operation.flops, 0);
    const expected = flops.prefix + flops.encoder;
    // Channels are padded to a multiple of what the processor takes at once; the manifest counts small operators too.
    t.ok(sum > 0.9 * expected && sum < 1.3 * expected, `${id}: ${sum} is ${expected}`);
    t.ok(operations.every(({ operation }) => operation.bytes > 0 || operation.family === 'view'));
    const text = (operation: Operation) => JSON.stringify(operation);
    const read = (await readOperators({ model: file(head), threads: 1 })).map(operationOf);
    t.same(read.map(text).sort(), operations.map(({ operation }) => text(operation)).sort(), id);
  }
});
