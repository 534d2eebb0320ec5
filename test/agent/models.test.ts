import { join } from 'node:path';
import t from 'tap';
import { Models } from '../../agent/pipeline/models.js';
import { openBundle } from '../../platform/bundle.js';
import type { InferenceWorker, TensorValue } from '../../platform/inference/index.js';
import { tinyBundle, until } from './rig.js';

const { input } = (await openBundle(tinyBundle)).manifest;
const [service, head] = ['service.onnx', 'heads/input.onnx'].map((file) => join(tinyBundle, file));

function run(worker: InferenceWorker) {
  const dims = [1, input.height, input.width, 3];
  const picture: TensorValue = { type: 'uint8', dims, data: new Uint8Array(input.height * input.width * 3) };
  const rate: TensorValue = { type: 'int64', dims: [1], data: BigInt64Array.of(0n) };
  return worker.run(worker.inputs.some(({ name }) => name === 'rate') ? { picture, rate } : { picture });
}

t.test('a model is loaded once the one in whose place it comes has given its memory back', async (t) => {
  const models = new Models(1, 1);
  const first = await models.get(service);
  const under = run(first);
  const second = await models.get(head);
  t.ok(first.ended, 'before the second one is there');
  t.ok(await under, 'the run under way was answered');
  t.equal(models.loaded, 1);
  const [third, fourth] = await Promise.all([models.get(service), models.get(service)]);
  t.equal(third, fourth, 'loaded once');
  t.ok(second.ended);
  t.ok(await run(third));
  await models.close();
  t.ok(third.ended);
});

t.test('models that are asked for at the same time all come, one after the other', async (t) => {
  const models = new Models(1, 1);
  const runs = [service, head, service, head].map(async (file) => run(await models.get(file)));
  for (const outputs of await Promise.all(runs)) t.ok(outputs);
  t.equal(models.loaded, 1);
  await models.close();
});

t.test('what is not used is unloaded, but for the last one', async (t) => {
  const models = new Models(1, 2, 1000);
  const first = await models.get(service);
  const second = await models.get(head);
  t.equal(models.loaded, 2);
  await until(() => models.loaded === 1, 'one of them');
  await until(() => first.ended, 'its end');
  await new Promise((resolve) => setTimeout(resolve, 1500));
  t.notOk(second.ended, 'the last one stays');
  await models.close();
});

t.test('one that cannot be loaded is no model, and may come again', async (t) => {
  const models = new Models(1, 1);
  await t.rejects(models.get(join(tinyBundle, 'none.onnx')), { code: 'model_missing' });
  t.equal(models.loaded, 0);
  t.ok(await run(await models.get(head)));
  await models.close();
});
