import { chmodSync, cpSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { accept, emptyState, writeState } from '../../../../agent/update/state.js';
import { expectation } from '../../../../scripts/commands/doctor/expect.js';
import { tinyBundle } from '../../../agent/rig.js';
import { bundleWithoutYuv, makeBundle, quickDisk } from '../../../update/world.js';
import { configFile, examine, folder, of } from './stand-in.js';

t.test('configuration', async (t) => {
  const file = join(folder(t), 'agent.yaml');
  const written = async (text: string) => {
    writeFileSync(file, text);
    return (await examine(t, ['configuration'], { file })).findings;
  };
  t.match(await written('device: [yard\nbundle: x\n'), [
    { id: 'config_syntax', what: /agent\.yaml:\d/, symptom: 'silent' },
  ]);
  t.match(await written('bundle: x\ncamara:\n  fps: 3\n'), [
    { id: 'config_invalid', what: /:2: camara: unknown key; did you mean "camera"/ },
  ]);
  t.match(await written('bundle: x\nbroker:\n  url: mqtt://me:hush@host\n'), [
    { id: 'config_invalid', what: /holds a password/ },
  ]);
  t.match(await written('bundle: x\ncamera:\n  fps: -1\n'), [
    { id: 'config_invalid', what: /-1 should be at least 0/ },
  ]);
  t.match(await written('bundle: x\n'), [{ id: 'config_ok' }]);
  t.match((await examine(t, ['configuration'], { file: `${file}.none` })).findings, [{ id: 'config_missing' }]);
  const variables = { DEEPCOD_CAMARA_FPS: '3' };
  t.same((await examine(t, ['configuration'], { file, parts: { variables } })).ids, ['config_variable', 'config_ok']);
  const invalid = await examine(t, ['trip'], { file: `${file}.none` });
  t.ok(invalid.findings.length > 8);
  t.same(
    [
      ...new Set(
        invalid.findings
          .filter(({ check }) => !['configuration', 'runtime', 'service'].includes(check))
          .map(({ status }) => status),
      ),
    ],
    ['skipped'],
    'nothing is tried with a broken configuration',
  );
});

t.test('secret files', async (t) => {
  const password_file = join(folder(t), 'password');
  writeFileSync(password_file, 'hush\n');
  const broker = { username: 'yard', password_file };
  chmodSync(password_file, 0o644);
  const open = await examine(t, ['secrets'], { config: { broker } });
  t.match(of(open.findings, 'secrets'), [
    { id: 'secret_open', what: /permissions 644/, todo: `\`sudo chmod o-rwx,g-w ${password_file}\`` },
  ]);
  chmodSync(password_file, 0o640);
  t.same((await examine(t, ['secrets'], { config: { broker } })).ids, ['config_ok', 'secrets_ok']);
  const gone = await examine(t, ['secrets'], {
    config: { broker: { ...broker, password_file: `${password_file}.none` } },
  });
  t.same(gone.ids, ['config_ok', 'secret_missing']);
  const odd = { key_file: password_file, cert_file: password_file };
  t.same((await examine(t, ['secrets'], { config: { broker: odd } })).ids, ['config_ok', 'key_damaged']);
});

t.test('bundle: missing, damaged, not whole', async (t) => {
  const dir = join(folder(t), 'bundle');
  const looked = async () => of((await examine(t, ['bundle'], { config: { bundle: dir } })).findings, 'bundle');
  t.match(await looked(), [{ id: 'bundle_missing', symptom: 'silent' }]);
  cpSync(tinyBundle, dir, { recursive: true });
  t.match(await looked(), [{ id: 'bundle_ok', what: /^tiny\/[0-9a-f]{16}, 4 files/ }]);
  const head = join(dir, 'heads', 'input.onnx');
  const bytes = readFileSync(head);
  bytes[100] ^= 1;
  writeFileSync(head, bytes);
  t.match(await looked(), [{ id: 'bundle_damaged', what: /SHA-256/ }]);
  writeFileSync(head, bytes.subarray(0, 50));
  t.match(await looked(), [{ id: 'bundle_damaged', what: /has 50 bytes/ }]);
  writeFileSync(join(dir, 'manifest.json'), '{"format":9}');
  t.match(await looked(), [{ id: 'bundle_invalid', what: /format: 9/ }]);
});

t.test('ONNX Runtime in a child process', async (t) => {
  const child = (text: string) => {
    const file = join(folder(t), 'child.cjs');
    writeFileSync(file, text);
    return { parts: { child: file }, files: { '/proc/device-tree/model': 'Raspberry Pi 4 Model B Rev 1.1\0' } };
  };
  t.match((await examine(t, ['runtime'])).findings, [{ id: 'runtime_ok', what: /ONNX Runtime 1\.30\.0/ }]);
  const illegal = await examine(
    t,
    ['inference'],
    child("process.kill(process.pid, 'SIGILL'); setTimeout(() => {}, 1000)"),
  );
  t.match(of(illegal.findings, 'runtime'), [
    { id: 'runtime_illegal_instruction', what: /Raspberry Pi 4/, status: 'failure' },
  ]);
  t.match(of(illegal.findings, 'inference'), [{ status: 'skipped', what: 'see runtime' }]);
  t.same((await examine(t, ['runtime'], child('process.abort()'))).ids, ['runtime_crash']);
  t.match((await examine(t, ['runtime'], child('console.log(JSON.stringify({ version: "1.21.0" }))'))).findings, [
    { id: 'runtime_version', what: /1\.21\.0; pinned is 1\.30\.0/ },
  ]);
  t.match(
    (await examine(t, ['runtime'], child('console.error("libonnxruntime.so.1: wrong ELF class"); process.exit(1)')))
      .findings,
    [{ id: 'runtime_missing', what: /wrong ELF class/ }],
  );
  const node = (version: string, arch = 'arm64') => ({ parts: { node: { path: process.execPath, version, arch } } });
  t.same((await examine(t, ['runtime'], node('18.19.0'))).ids, ['node_old']);
  t.same((await examine(t, ['runtime'], node('20.14.0'))).ids, ['node_old']);
  t.same((await examine(t, ['runtime'], node('21.0.0'))).ids, ['node_untested']);
  t.same((await examine(t, ['runtime'], node('20.20.2', 'arm'))).ids, ['system_32_bit']);
});

t.test('self-test inference', async (t) => {
  const { findings, known } = await examine(t, ['inference']);
  t.match(of(findings, 'inference'), [
    { id: 'inference_unknown_board', values: { input_ms: Number, device_ms: Number } },
  ]);
  t.ok((known.testFrame?.message.length ?? 0) > 36, 'a frame for the trip');
  const config = { bundle: await bundleWithoutYuv(join(folder(t), 'bundle')), camera: { source: 'rpicam' } };
  t.match(
    of((await examine(t, ['inference'], { config })).findings, 'inference'),
    [{ id: 'inference_failed', what: /input\.onnx/ }],
    'what reads planes is tried where the camera gives them',
  );
  // Answers for both of the child's jobs.
  const answer = (ms: object) => {
    const file = join(folder(t), 'child.cjs');
    const selftest = JSON.stringify({ ms, frame: '', session: 1, partition: 'input' });
    writeFileSync(
      file,
      `console.log(process.argv[2] === 'runtime' ? '{"version":"1.30.0"}' : ${JSON.stringify(selftest)})`,
    );
    return { parts: { child: file }, files: { '/proc/device-tree/model': 'Raspberry Pi 5 Model B Rev 1.0\0' } };
  };
  const ids = async (ms: object, config = {}) =>
    of((await examine(t, ['inference'], { ...answer(ms), config })).findings, 'inference').map(({ id }) => id);
  t.same(await ids({ input: 2, device: 3 }), ['inference_ok']);
  t.same(await ids({ input: 2, device: 90 }), ['inference_slow'], 'the tiny service takes no time at all on a Pi 5');
  t.same(await ids({ input: 250, device: 4 }, { camera: { fps: 5 } }), ['inference_late', 'inference_ok']);
  const crash = join(folder(t), 'child.cjs');
  writeFileSync(
    crash,
    `if (process.argv[2] === 'runtime') console.log('{"version":"1.30.0"}'); else process.kill(process.pid, 'SIGSEGV'), setTimeout(() => {}, 1000)`,
  );
  t.match(of((await examine(t, ['inference'], { parts: { child: crash } })).findings, 'inference'), [
    { id: 'inference_crash', what: /SIGSEGV/ },
  ]);
});

t.test('what a board should reach', (t) => {
  const flops = 4.15e9;
  const [zero, four, five] = [
    'Raspberry Pi Zero 2 W Rev 1.0',
    'Raspberry Pi 4 Model B Rev 1.4',
    'Raspberry Pi 5 Model B',
  ].map((model) => expectation(model, flops));
  t.equal(expectation('Some Board', flops), undefined);
  t.equal(expectation(undefined, flops), undefined);
  t.ok(five && four && zero && five.most < four.most && four.most < zero.most);
  t.ok(five && five.least < five.most);
  const nano = expectation('Raspberry Pi 5', 1.08e9);
  t.ok(nano && Math.abs(nano.most - 5 - 1000 / 21.3) < 0.1, 'the published figure itself');
  t.end();
});

t.test('defaults, where nothing is configured', async (t) => {
  const { configurationCheck } = await import('../../../../scripts/commands/doctor/checks/configuration.js');
  const { runChecks } = await import('../../../../scripts/commands/doctor/run.js');
  const { device } = await import('./stand-in.js');
  t.match(await runChecks([configurationCheck(undefined)], device(t, {}), {}), [
    { id: 'config_default', status: 'warning' },
  ]);
  const installed = { '/etc/deepcod/agent.yaml': readFileSync(configFile(t), 'utf8') };
  t.match(await runChecks([configurationCheck(undefined)], device(t, { files: installed }), {}), [{ id: 'config_ok' }]);
});

t.test('the bundle of a release is the one that is looked at', async (t) => {
  const update = { keys: folder(t), folder: folder(t) };
  const id = await makeBundle(join(update.folder, 'bundles', 'new'), { threshold: 0.4 });
  renameSync(join(update.folder, 'bundles', 'new'), join(update.folder, 'bundles', id));
  const state = emptyState();
  accept(state.bundle, { sequence: 1, digest: 'a', created: '2026-11-21T20:00:00Z', bundle: id });
  await writeState(quickDisk, update.folder, state);
  const { findings } = await examine(t, ['bundle'], { config: { update } });
  t.match(of(findings, 'bundle'), [{ id: 'bundle_ok', values: { id } }]);
});

t.test('settings of a release: everything is checked with them', async (t) => {
  const update = { keys: folder(t), folder: folder(t) };
  const file = { update, camera: { source: 'simulated', fps: 2 }, in_flight: 2 };
  const state = emptyState();
  const release = (sequence: number, config: Record<string, unknown>) =>
    accept(state.config, { sequence, digest: `${sequence}`, created: '2026-11-21T20:00:00Z', config });
  t.match((await examine(t, ['configuration'], { config: file })).ids, ['config_ok'], 'without one the file counts');

  release(1, { camera: { fps: 7 } });
  await writeState(quickDisk, update.folder, state);
  const { findings, known } = await examine(t, ['configuration'], { config: file });
  t.match(findings, [
    { id: 'config_ok' },
    {
      id: 'config_release',
      status: 'pass',
      what: 'release 1: camera.fps',
      values: { sequence: 1, keys: 'camera.fps' },
    },
  ]);
  t.equal(known.config?.camera.fps, 7);
  t.equal(known.config?.in_flight, 2, 'all else as the file says');
  release(2, { camera: { fps: -1 } });
  await writeState(quickDisk, update.folder, state);
  const after = await examine(t, ['configuration'], { config: file });
  t.match(after.findings, [
    { id: 'config_ok' },
    { id: 'config_release_unusable', status: 'warning', what: /camera.fps/ },
    { id: 'config_release', what: 'release 1: camera.fps' },
  ]);
  t.equal(after.known.config?.camera.fps, 7, 'the ones before, as the agent does');

  writeFileSync(join(update.folder, 'state.json'), '{"v":1');
  const damaged = await examine(t, ['configuration'], { config: file });
  t.match(damaged.findings, [
    { id: 'config_ok' },
    { id: 'config_release_unknown', status: 'warning', what: new RegExp(update.folder), todo: /root/ },
  ]);
  t.equal(damaged.known.config?.camera.fps, 2);
});
