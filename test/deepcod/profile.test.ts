import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Profile } from '../../agent/partition/profile.js';
import type { ProfileReport } from '../../scripts/commands/profile/report.js';
import { testAgent, testEdge, tinyBundle, until } from '../agent/rig.js';
import { run } from '../platform/process.js';
import { bundleWithoutYuv } from '../update/world.js';

const profile = (...args: string[]) => run('scripts/deepcod.js', ['profile', ...args]);
const read = <T>(file: string): T => JSON.parse(readFileSync(file, 'utf8')) as T;

t.test('measured once, stored, and found again; --force, more runs, or another machine measure again', async (t) => {
  const dir = t.testdir({});
  const [file, json] = [join(dir, 'state', 'profile.json'), join(dir, 'report.json')];
  const args = ['--bundle', tinyBundle, '--profile', file, '--runs', '4'];
  const first = await profile(...args, '--json', json);
  t.equal(first.code, 0, first.output);
  t.match(first.output, /measuring input, device: 4 runs each/);
  t.match(first.output, /^tiny\/[0-9a-f]{16} on .*, 4 runs each$/m);
  t.match(first.output, /^point +mean ms +deviation +predicted +error$/m);
  t.match(first.output, /^input +\d+\.\d\d +\d+\.\d\d/m);
  t.match(first.output, `stored in ${file}\n`);

  const stored = read<Profile>(file);
  t.same(Object.keys(stored.device_ms), ['input', 'device']);
  t.same(Object.keys(stored.device_deviation_ms ?? {}), ['input', 'device']);
  t.match(stored, { device_runs: 4, edge_ms: {}, time_model: { scale: Number, overhead_ms: Number } });
  const report = read<ProfileReport>(json);
  t.match(report, { bundle: { name: 'tiny' }, runs: 4, machine: { cpu: String }, versions: { onnxruntime: String } });
  for (const { point, mean_ms: mean = 0 } of report.rows) t.ok(Math.abs(mean - stored.device_ms[point]) < 1e-3);

  const again = await profile(...args);
  t.match(again.output, /measured before on this device/);
  t.same(read(file), stored, 'left as it is');
  t.match((await profile(...args, '--force')).output, /measuring input/);
  t.match((await profile(...args.slice(0, -1), '5')).output, /measuring input/);

  const other = { ...stored, fingerprint: 'another processor', edge_ms: { input: 7 }, bandwidth_bps: 1e6 };
  writeFileSync(file, JSON.stringify(other));
  t.match((await profile(...args)).output, /measuring input/);
  t.match(read(file), { fingerprint: stored.fingerprint, edge_ms: {} }, 'what another edge took says nothing');
  writeFileSync(file, JSON.stringify({ ...other, fingerprint: stored.fingerprint }));
  await profile(...args, '--force');
  t.match(read(file), { edge_ms: { input: 7 }, bandwidth_bps: 1e6 }, 'what the agent learnt stays');
});

t.test('the agent starts with what was measured, and keeps all of it', async (t) => {
  const edge = await testEdge();
  t.teardown(() => edge.close());
  const file = join(t.testdir({}), 'profile.json');
  const config = join(t.testdir({}), 'agent.yaml');
  writeFileSync(config, `bundle: ${tinyBundle}\nthreads: 1\nprofile:\n  file: ${file}\n`);
  t.match(await profile('--config', config, '--runs', '3'), { code: 0, output: `stored in ${file}` });
  const before = read<Profile>(file);
  const { trips, events, stop } = await testAgent(edge.brokerUrl, { partition: 'auto', profile: { file } });
  await until(() => trips.length > 3, 'frames');
  await stop();
  t.ok(events.some(({ message }) => message === 'times of this device are known'));
  const { edge_ms: _, bandwidth_bps: __, base_ms: ____, ...kept } = read<Profile>(file);
  const { edge_ms: ___, ...measured } = before;
  t.same(kept, measured);
});

t.test('what reads planes is measured where the camera gives them', async (t) => {
  const dir = t.testdir({});
  const bundle = await bundleWithoutYuv(join(dir, 'bundle'));
  const config = join(dir, 'agent.yaml');
  writeFileSync(config, `bundle: ${bundle}\ncamera:\n  source: rpicam\n`);
  t.match(await profile('--config', config, '--runs', '1'), { code: 1, output: /input\.onnx/ });
  writeFileSync(config, `bundle: ${bundle}\n`);
  t.equal((await profile('--config', config, '--runs', '1')).code, 0);

  const kept = `bundle: ${tinyBundle}\nprofile:\n  file: ${join(dir, 'profile.json')}\n`;
  const measured = async (settings: string) => {
    writeFileSync(config, settings);
    return /measuring input/.test((await profile('--config', config, '--runs', '1')).output);
  };
  t.same([await measured(kept), await measured(kept)], [true, false]);
  t.ok(await measured(`${kept}camera:\n  source: rpicam\n`), 'times of models that read RGB say nothing about these');
});

t.test('an agent without a profile measures briefly, deviation included', async (t) => {
  const edge = await testEdge();
  t.teardown(() => edge.close());
  const file = join(t.testdir({}), 'profile.json');
  const { trips, stop } = await testAgent(edge.brokerUrl, { partition: 'auto', profile: { file } });
  await until(() => trips.length > 0, 'a frame');
  await stop();
  const stored = read<Profile>(file);
  t.equal(stored.device_runs, 3);
  t.same(Object.keys(stored.device_deviation_ms ?? {}).sort(), Object.keys(stored.device_ms).sort());
});
