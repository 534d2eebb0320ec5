import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { loadEdgeConfig } from '../../edge/config.js';
import { freePort } from '../platform/brokers.js';
import { bundleCopy, codedFrame, Device, edgeOnline, tinyBundle, until } from './harness.js';

const main = fileURLToPath(new URL('../../edge/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'deepcod-edge-'));

/** Starts the edge's process. */
function run(args: string[]) {
  const env = { ...process.env, DEEPCOD_LOG_FORMAT: 'text', NODE_OPTIONS: '' };
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  const output = { text: '' };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output.text += String(chunk)));
  const exit = once(child, 'exit').then(([code]) => code as number);
  return { child, output, exit };
}

function config(text: string): string {
  const file = join(folder, `edge-${Math.random().toString(36).slice(2)}.yaml`);
  writeFileSync(file, text);
  return file;
}

t.test('the process answers frames and stops cleanly on SIGTERM and on SIGINT', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const port = await freePort();
    const text = `bundles: ['${tinyBundle}']\nbroker: {port: ${port}}\nweb: {enabled: false}\n`;
    const { child, output, exit } = run(['--config', config(text)]);
    await until(() => output.text.includes('connected to broker'), `the edge's start: ${output.text}`);
    await edgeOnline(`mqtt://127.0.0.1:${port}`);
    const device = await Device.connect(`mqtt://127.0.0.1:${port}`, 'cam');
    device.send(codedFrame(1));
    t.match(await device.answerTo(1), { worker: 'edge-1', partition: 'input' });
    await device.close();
    child.kill(signal);
    t.equal(await exit, 0, signal);
  }
});

t.test('what is wrong is said, with the documented exit code', async (t) => {
  const damaged = await bundleCopy(t);
  writeFileSync(join(damaged, 'service.onnx'), 'x');
  const cases: [string, string[], number, RegExp][] = [
    ['no bundle', [], 2, /bundles/],
    ['a missing file', ['--config', join(folder, 'none.yaml')], 2, /none\.yaml/],
    [
      'an unknown key',
      ['--config', config(`bundles: ['${tinyBundle}']\nbrokr: {}`)],
      2,
      /:2: brokr: unknown key; did you mean "broker"/,
    ],
    ['a wrong value', ['--config', config(`bundles: ['${tinyBundle}']\nqueue: {depth: 0}`)], 2, /queue\.depth: 0/],
    ['a missing bundle', ['--bundle', join(folder, 'nothing')], 3, /nothing/],
    ['a damaged bundle', ['--bundle', damaged], 3, /service\.onnx/],
  ];
  await Promise.all(
    cases.map(async ([what, args, code, message]) => {
      const { output, exit } = run(args);
      t.equal(await exit, code, what);
      t.match(output.text, message, what);
      t.notMatch(output.text, /\n\s+at /, `${what}: no stack trace`);
    }),
  );
});

t.test(
  'configuration: broker embedded or by address, never both or neither; bundles from the file’s folder',
  async (t) => {
    const load = (text: string) => loadEdgeConfig({ file: config(`bundles: [here, /abs]\n${text}`) });
    t.same(load('').bundles, [join(folder, 'here'), '/abs']);
    t.match(load(''), {
      base: 'deepcod',
      worker: 'edge-1',
      broker: { host: '127.0.0.1', port: 1883 },
      web: { port: 8080 },
    });
    t.equal(load('broker: {url: "mqtt://b:1883"}').broker.url, 'mqtt://b:1883');
    t.throws(() => load('broker: {embedded: true, url: "mqtt://b"}'), { exitCode: 2, message: /broker\.url/ });
    t.throws(() => load('broker: {embedded: false}'), { exitCode: 2, message: /broker\.url: missing/ });
    t.throws(() => load('worker: "a/b"'), { exitCode: 2, message: /worker/ });
    t.equal(loadEdgeConfig({ env: { DEEPCOD_BROKER_PORT: '77' }, overrides: { bundles: ['x'] } }).broker.port, 77);
  },
);
