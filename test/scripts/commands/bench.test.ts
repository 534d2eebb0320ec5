import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type BenchReport, benchTable } from '../../../scripts/commands/bench/device.js';
import { expectation } from '../../../scripts/commands/doctor/expect.js';
import { tinyBundle } from '../../agent/rig.js';
import { run } from '../../platform/process.js';
import { bundleWithoutYuv } from '../../update/world.js';

const bench = (...args: string[]) => run('scripts/deepcod.js', ['bench', ...args]);

t.test('heads, service, coder, camera', async (t) => {
  const { code, output } = await bench('device', '--bundle', tinyBundle, '--runs', '2', '--json');
  t.equal(code, 0);
  const report = JSON.parse(output.slice(output.indexOf('{'))) as BenchReport;
  t.same(
    report.points.map(({ id }) => id),
    ['input', 'device'],
  );
  t.ok(report.points.every(({ mean_ms }) => mean_ms > 0));
  t.match(report.coder, [{ id: 'input', symbols: 8 * 8 * 3, bytes: Number, mb_s: Number }]);
  t.ok((report.camera?.fps ?? 0) > 1, 'the simulated camera');
  const table = benchTable(report);
  t.match(table, /^tiny\/[0-9a-f]{16} on /);
  t.match(table, /no times are published for this machine/);
  t.match(table, /camera: \d+\.\d pictures a second/);
  const expected = expectation('Raspberry Pi 4', 4.15e9);
  const on = (ms: number) =>
    benchTable({ ...report, expected, points: [{ id: 'device', mean_ms: ms, deviation_ms: 0 }] });
  t.match(on(10), /device is faster than the \d+ to \d+ ms expected of a Raspberry Pi 4\n {2}\(derived/);
  t.match(on(300), /is within the/);
  t.match(on(3000), /is SLOWER than the/);
});

t.test('what reads planes is measured where the camera gives them', async (t) => {
  const dir = t.testdir({});
  const bundle = await bundleWithoutYuv(join(dir, 'bundle'));
  const config = join(dir, 'agent.yaml');
  const args = ['device', '--config', config, '--runs', '1', '--no-camera'];
  writeFileSync(config, `bundle: ${bundle}\ncamera:\n  source: rpicam\n`);
  t.match(await bench(...args), { code: 1, output: /input\.onnx/ });
  writeFileSync(config, `bundle: ${bundle}\n`);
  t.equal((await bench(...args)).code, 0);
});

t.test('usage', async (t) => {
  t.match(await bench(), { code: 2, output: /There is `bench device`/ });
  t.match(await bench('device', '--bundle', '/nowhere', '--no-camera'), { code: 3 });
});
