import { join } from 'node:path';
import t from 'tap';
import { loadAgentConfig } from '../../agent/config/config.js';
import { loadEdgeConfig } from '../../edge/config.js';
import { silentLog } from '../../platform/log.js';
import { connectMqtt } from '../../platform/mqtt.js';
import { packageRoot } from '../../platform/root.js';
import { type FrameResult, parseResult } from '../../protocol/result.js';
import { aedesBroker, mosquittoBroker, type TestBroker, withoutMosquitto } from '../platform/brokers.js';
import { start } from '../platform/process.js';
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

    // One after the other: an edge that stops refuses a frame that is on its way.
    agent.child.kill('SIGTERM');
    t.equal(await agent.ended(), 0, 'the agent ends cleanly');
    edge.child.kill('SIGTERM');
    t.equal(await edge.ended(), 0, 'the edge ends cleanly');
    t.notMatch(agent.output(), /error/i);
    await reader.close();
    await broker.stop();
  });
}
