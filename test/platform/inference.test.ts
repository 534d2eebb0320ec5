import { join } from 'node:path';
import t from 'tap';
import { InferenceWorker } from '../../platform/inference/index.js';
import { packageRoot } from '../../platform/root.js';

const model = join(packageRoot(), 'test/platform/fixtures/add.onnx');
const feeds = (n = 1, value = 10, rate = 3n) => ({
  picture: { type: 'uint8' as const, dims: [n, 4, 4, 3], data: new Uint8Array(n * 48).fill(value) },
  rate: { type: 'int64' as const, dims: [1], data: BigInt64Array.of(rate) },
});

t.test('runs a model with external data, uint8 and int64 inputs', async (t) => {
  const worker = await InferenceWorker.open({ model, threads: 1 });
  t.match(worker.inputs, [
    { name: 'picture', type: 'uint8', shape: ['n', 4, 4, 3] },
    { name: 'rate', type: 'int64', shape: [1] },
  ]);
  t.same(
    worker.outputs.map((output) => output.name),
    ['sum', 'sum_u8'],
  );
  const { sum, sum_u8 } = await worker.run(feeds());
  t.equal(sum.type, 'float32');
  t.same(sum.dims, [1, 4, 4, 3]);
  t.same([...sum.data.slice(0, 3)], [8, 13, 23]);
  t.ok(sum_u8.data instanceof Uint8Array);
  t.same([...sum_u8.data.slice(0, 3)], [8, 13, 23]);
  t.ok(worker.lastRunMs > 0);
  await worker.close();
});

t.test('feeds are copied unless handed over; handed over they come back', async (t) => {
  const worker = await InferenceWorker.open({ model, threads: 1 });
  const copied = feeds();
  const running = worker.run(copied);
  t.equal(copied.picture.data.length, 48, 'still here while it runs');
  await running;

  const lent = feeds();
  const before = lent.picture.data;
  const other = worker.run(lent, { transfer: true });
  t.equal(before.length, 0, 'away while it runs');
  await other;
  t.equal(lent.picture.data.length, 48);
  t.equal(lent.picture.data[47], 10);
  await worker.run(lent, { transfer: true });
  t.equal(lent.rate.data[0], 3n, 'and can be lent again');

  const wrong = feeds(2);
  wrong.picture.dims = [1, 5, 5, 3];
  await t.rejects(worker.run(wrong, { transfer: true }), { code: 'inference_failed' });
  t.equal(wrong.picture.data.length, 96, 'after a failure too');
  await worker.close();
});

t.test('a part of a larger buffer is sent alone', async (t) => {
  const worker = await InferenceWorker.open({ model, threads: 1 });
  const large = Buffer.alloc(4096, 7);
  const part = feeds();
  part.picture.data = large.subarray(100, 148);
  const { sum } = await worker.run(part, { transfer: true });
  t.equal(sum.data[2], 17);
  t.equal(large.length, 4096, 'the large buffer stays');
  await worker.close();
});

t.test('answers in order, also while many wait, and finishes them before it closes', async (t) => {
  const worker = await InferenceWorker.open({ model, threads: 1 });
  const order: number[] = [];
  const runs = Array.from({ length: 20 }, (_, i) =>
    worker.run(feeds(1, i, 0n)).then(({ sum }) => {
      order.push(i);
      return sum.data[1];
    }),
  );
  t.equal(worker.pending, 20);
  await worker.close();
  t.same(
    await Promise.all(runs),
    Array.from({ length: 20 }, (_, i) => i),
  );
  t.same(
    order,
    Array.from({ length: 20 }, (_, i) => i),
  );
  await t.rejects(worker.run(feeds()), { code: 'inference_closed' });
  await worker.close();
});

t.test('what cannot be run is named and harms nothing', async (t) => {
  const worker = await InferenceWorker.open({ model, threads: 1 });
  const { picture, rate } = feeds();
  await t.rejects(worker.run({ picture }), { code: 'inference_failed', message: /add\.onnx.*rate/ });
  await t.rejects(worker.run({ picture: { ...picture, dims: [1, 4, 4, 2] }, rate }), { code: 'inference_failed' });
  const { sum } = await worker.run({ picture, rate });
  t.equal(sum.data.length, 48, 'the next run works');
  await worker.close();
});

t.test('what cannot be loaded', async (t) => {
  await t.rejects(InferenceWorker.open({ model: '/nowhere/x.onnx' }), {
    code: 'model_missing',
    exitCode: 3,
    message: /\/nowhere\/x\.onnx/,
  });
  const dir = t.testdir({ 'bad.onnx': 'this is no model' });
  await t.rejects(InferenceWorker.open({ model: join(dir, 'bad.onnx') }), {
    code: 'model_unloadable',
    exitCode: 3,
    message: /bad\.onnx/,
  });
  await t.rejects(InferenceWorker.open({ model, provider: 'nonsense' }), {
    code: 'model_unloadable',
    message: /nonsense/,
  });
});
