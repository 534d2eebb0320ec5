import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { loadAgentConfig } from '../../agent/config/config.js';
import type { SelfTest } from '../../agent/update/install.js';
import { selfTest } from '../../agent/update/self-test.js';
import { readState } from '../../agent/update/state.js';
import { bundleWithoutYuv, Device, makeBundle, tempFolder, tinyBundle, world } from './world.js';

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
  await t.rejects(
    selfTest(await bundleWithoutYuv(join(root, 'yuv')), config, signal),
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

/** The processes that this one started. */
const children = (): number[] =>
  readdirSync('/proc/self/task').flatMap((task) =>
    readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );

/** As the kernel does when memory is short. */
const killedTest: SelfTest = (...parts) => {
  const before = children();
  const tested = selfTest(...parts);
  for (const pid of children()) if (!before.includes(pid)) process.kill(pid, 'SIGKILL');
  return tested;
};

t.test('one that the system kills is refused, and so is its release', async (t) => {
  const config = loadAgentConfig({ overrides: { bundle: tinyBundle, threads: 1 } });
  const message = 'ended by SIGKILL, as the system does where memory is short';
  const killed = killedTest(tinyBundle, config, new AbortController().signal);
  await t.rejects(killed, { code: 'self_test', lasting: true, message });

  const { root, edge, release } = await world(t);
  const { id, release: next } = await release(1);
  const device = await Device.start(root, edge, { selfTest: killedTest });
  const before = device.host.bundle.id;
  device.host.serve(before, id);
  device.updater.start();
  device.offer(next);
  await device.reaches('refused', 'self_test');
  t.equal(device.status.reason?.message, message, 'told');
  t.same(device.host.changes, [], 'what ran goes on');
  await device.updater.stop();
  const { state } = await readState(join(root, 'update'));
  t.match(state.endings, [{ bundle: id, outcome: 'refused', code: 'self_test', message }], 'and never tried again');
  t.notOk(existsSync(join(root, 'update/bundles', id)), 'nor kept');
});

t.test('where memory is short it goes before the agent', async (t) => {
  const root = await tempFolder(t);
  const config = loadAgentConfig({ overrides: { bundle: tinyBundle, threads: 1 } });
  const bad = join(root, 'bad');
  await makeBundle(bad, { replace: { 'heads/input.onnx': Buffer.from('no model') } });
  // The last line of what a test says is its reason.
  const tell = join(root, 'tell.mjs');
  const read = "readFileSync('/proc/self/oom_score_adj', 'utf8')";
  writeFileSync(
    tell,
    `import { readFileSync } from 'node:fs';\nprocess.on('exit', () => console.log('score ' + ${read}));\n`,
  );
  process.env.NODE_OPTIONS = `--import=${pathToFileURL(tell)}`;
  t.teardown(() => delete process.env.NODE_OPTIONS);
  const { signal } = new AbortController();
  await t.rejects(selfTest(bad, config, signal), { code: 'self_test', message: /^score 1000$/ });
});
