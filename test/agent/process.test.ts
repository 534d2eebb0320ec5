import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import t from 'tap';
import { loadAgentConfig } from '../../agent/config/config.js';
import { loadEdgeConfig } from '../../edge/config.js';
import { silentLog } from '../../platform/log.js';
import { connectMqtt } from '../../platform/mqtt.js';
import { packageRoot } from '../../platform/root.js';
import { type FrameResult, parseResult } from '../../protocol/result.js';
import { aedesBroker, mosquittoBroker, type TestBroker, withoutMosquitto } from '../platform/brokers.js';
import { run, start } from '../platform/process.js';
import { tinyBundle, until } from './rig.js';

t.test('the examples are valid', async (t) => {
  const config = join(packageRoot(), 'config');
  t.equal(loadAgentConfig({ file: join(config, 'agent.example.yaml') }).device, 'yard-1');
  t.equal(loadEdgeConfig({ file: join(config, 'edge.example.yaml') }).worker, 'edge-1');
});

const brokers: { name: string; version: string; skip: string | false; open: () => Promise<TestBroker> }[] = [
  { name: 'aedes', version: 'auto', skip: false, open: aedesBroker },
  { name: 'mosquitto, MQTT 3.1.1', version: '3.1.1', skip: withoutMosquitto, open: () => mosquittoBroker() },
  { name: 'mosquitto, MQTT 5', version: '5', skip: withoutMosquitto, open: () => mosquittoBroker() },
];

for (const { name, version, skip, open } of brokers) {
  t.test(`agent and edge as two processes, each with its file, at ${name}`, { skip }, async (t) => {
    const broker = await open();
    const dir = t.testdir({
      'agent.yaml': JSON.stringify({
        device: 'gate',
        bundle: tinyBundle,
        broker: { url: broker.url, version },
        camera: { fps: 20 },
        partition: 'input',
        health: { interval_s: 0.2 },
      }),
      'edge.yaml': JSON.stringify({
        bundles: [tinyBundle],
        broker: { url: broker.url, version },
        web: { enabled: false },
      }),
    });
    const edge = start('edge/main.js', ['--config', join(dir, 'edge.yaml')]);
    const agent = start('agent/main.js', ['--config', join(dir, 'agent.yaml')]);
    await agent.says(/broker .* cannot be reached; trying again/);
    await broker.start();

    const results: (FrameResult & { local?: boolean })[] = [];
    const options = { broker: { url: broker.url, version: 'auto' as const, keepalive_s: 15 }, clientId: 'reader' };
    const reader = connectMqtt(options, silentLog);
    reader.subscribe('deepcod/gate/result', (_, payload) => results.push(parseResult(payload) as FrameResult));
    const remote = () => results.filter((result) => result.partition === 'input' && !result.local).length;
    await until(() => remote() > 3, 'results of the edge');

    await broker.stop();
    await agent.says(/broker .* went away/);
    await broker.start();
    await agent.says(/is there again after/);
    const before = remote();
    await until(() => remote() > before + 3, 'results after the broker came back');

    for (const { child } of [agent, edge]) child.kill('SIGTERM');
    t.equal(await agent.ended(), 0, 'the agent ends cleanly');
    t.equal(await edge.ended(), 0, 'the edge ends cleanly');
    t.notMatch(agent.output(), /error/i);
    await reader.close();
    await broker.stop();
  });
}

t.test('mistakes end the agent with a documented code and say what to do', async (t) => {
  const dir = t.testdir({
    'wrong.yaml': 'bundle: x\ncamera:\n  fsp: 5\n  source: simulatd\n',
    empty: {},
    'replay.yaml': JSON.stringify({ bundle: tinyBundle, camera: { source: 'replay', input: 'empty' } }),
    'source.yaml': JSON.stringify({ bundle: tinyBundle, camera: { source: 'simulatd' } }),
  });
  const wrong = await run('agent/main.js', ['--config', join(dir, 'wrong.yaml')]);
  t.equal(wrong.code, 2);
  t.match(wrong.output, /wrong\.yaml:3: camera\.fsp: unknown key; did you mean "fps"\?/);

  t.match(await run('agent/main.js', ['--config', join(dir, 'none.yaml')]), {
    code: 2,
    output: /no such configuration file/,
  });
  t.match(await run('agent/main.js', ['--confg', 'x']), { code: 2, output: /usage: / });
  t.match(await run('agent/main.js', ['--bundle', join(dir, 'empty')]), { code: 3, output: /no manifest\.json/ });
  t.match(await run('agent/main.js', ['--config', join(dir, 'replay.yaml')]), { code: 4, output: /no images/ });
  t.match(await run('agent/main.js', ['--config', join(dir, 'source.yaml')]), { code: 2, output: /simulated/ });
  const variable = await run('agent/main.js', ['--bundle', tinyBundle], { DEEPCOD_CAMERA_FPS: 'often' });
  t.match(variable, { code: 2, output: /DEEPCOD_CAMERA_FPS: camera\.fps: "often" should be a number/ });
});

t.test('a damaged JPEG among good ones is named and left out', async (t) => {
  const dir = t.testdir({ images: {} });
  const image = (red: number) =>
    sharp({ create: { width: 64, height: 48, channels: 3, background: { r: red, g: 20, b: 20 } } })
      .jpeg()
      .toBuffer();
  await writeFile(join(dir, 'images/a.jpg'), await image(250));
  await writeFile(join(dir, 'images/b.jpg'), (await image(250)).subarray(0, 200));
  await writeFile(join(dir, 'images/c.jpg'), await image(200));
  await writeFile(
    join(dir, 'agent.yaml'),
    JSON.stringify({
      bundle: tinyBundle,
      partition: 'device',
      camera: { source: 'replay', input: 'images', fps: 0, loop: false },
      log: { level: 'info' },
    }),
  );
  const { code, output } = await run('agent/main.js', ['--config', join(dir, 'agent.yaml')]);
  t.equal(code, 0, 'the end of the input is a good end');
  t.match(output, /b\.jpg/);
  t.equal((await readFile(join(dir, 'images/b.jpg'))).length, 200);
});
