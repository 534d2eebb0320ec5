import { join } from 'node:path';
import t from 'tap';
import { loadAgentConfig } from '../../agent/config/config.js';
import { selfTest } from '../../agent/update/self-test.js';
import { makeBundle, tempFolder, tinyBundle } from './world.js';

t.test('the self-test, in its own process', async (t) => {
  const root = await tempFolder(t);
  const config = loadAgentConfig({ overrides: { bundle: tinyBundle, threads: 1 } });
  const { signal } = new AbortController();
  await t.resolves(selfTest(tinyBundle, config, signal));
  const bad = join(root, 'bad');
  await makeBundle(bad, { replace: { 'heads/input.onnx': Buffer.from('no model') } });
  await t.rejects(selfTest(bad, config, signal), { code: 'self_test', message: /heads\/input\.onnx/ });
  const shape = join(root, 'shape');
  await makeBundle(shape, {
    manifest: ({ partitions }) => {
      partitions[0].code.height = 4;
    },
  });
  await t.rejects(selfTest(shape, config, signal), { code: 'self_test' });
  const yuv = join(root, 'yuv');
  await makeBundle(yuv, {
    manifest: ({ partitions }) => {
      partitions[0].head_yuv = partitions[0].head;
    },
  });
  await t.rejects(
    selfTest(yuv, config, signal),
    { code: 'self_test', message: /heads\/input\.onnx/ },
    'a head that takes no planes',
  );
  const service = join(root, 'service');
  await makeBundle(service, { replace: { 'service.onnx': Buffer.from('no model') } });
  await t.rejects(selfTest(service, config, signal), { code: 'self_test', message: /service\.onnx/ });
  const relying = loadAgentConfig({ overrides: { bundle: tinyBundle, partition: 'input', fallback: false } });
  await t.resolves(selfTest(service, relying, signal), 'a device that never runs alone does not need it');
  process.env.NODE_OPTIONS = '--max-old-space-size=1';
  t.teardown(() => delete process.env.NODE_OPTIONS);
  await t.rejects(
    selfTest(tinyBundle, config, signal),
    { code: 'self_test', message: /SIG/ },
    'one that takes its process down',
  );
});
