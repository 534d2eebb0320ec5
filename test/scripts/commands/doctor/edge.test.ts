import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mqtt, { type MqttClient } from 'mqtt';
import t, { type Test } from 'tap';
import type { HealthMessage } from '../../../../protocol/health.js';
import { noiseCamera, testAgent, testEdge, until } from '../../../agent/rig.js';
import { decision } from '../../../deepcod/stand-in.js';
import { aedesBroker } from '../../../platform/brokers.js';
import { examine, folder, of } from './stand-in.js';

const context = join('test', 'fixtures', 'tiny-context-bundle');

async function broker(t: Test): Promise<{ url: string; client: MqttClient }> {
  const made = await aedesBroker();
  await made.start();
  const client = await mqtt.connectAsync(made.url, { protocolVersion: 4 });
  t.teardown(async () => {
    await client.endAsync(true);
    await made.stop();
  });
  return { url: made.url, client };
}

async function found(t: Test, checks: string[], url: string, more: object = {}) {
  return (
    await examine(t, checks, { config: { broker: { url }, health: { interval_s: 0.3 }, timeout_ms: 60_000, ...more } })
  ).findings;
}

t.test('edge: none, gone, without this bundle, busy', async (t) => {
  const { url, client } = await broker(t);
  t.match(of(await found(t, ['edge'], url), 'edge'), [{ id: 'edge_missing', symptom: 'silent', todo: /base/ }]);
  const announce = (status: object) =>
    client.publishAsync('deepcod/edge/shed/status', JSON.stringify(status), { retain: true, qos: 1 });
  await announce({ online: false });
  t.match(of(await found(t, ['edge'], url), 'edge'), [{ id: 'edge_offline', what: 'shed: offline' }]);
  await announce({ online: true, bundles: [{ id: '0123456789abcdef', name: 'other' }] });
  const without = await found(t, ['bundle', 'edge'], url);
  t.match(of(without, 'edge'), [{ id: 'edge_without_bundle', what: /^shed has other\/0123456789abcdef, not tiny\// }]);
  const { known } = await examine(t, ['bundle']);
  await announce({ online: true, bundles: [{ id: known.bundle?.id, name: 'tiny' }], load: 0.99 });
  t.match(of(await found(t, ['edge'], url), 'edge'), [{ id: 'edge_busy', symptom: 'slow' }]);
  // It has announced itself, and answers nothing.
  const child = join(folder(t), 'child.cjs');
  const answer = JSON.stringify({
    version: '1.30.0',
    ms: { input: 1, device: 1 },
    frame: 'AAAA',
    session: 1,
    partition: 'input',
  });
  writeFileSync(child, `console.log(${JSON.stringify(answer)})`);
  const config = { broker: { url } };
  const { findings } = await examine(t, ['trip'], { config, parts: { child } });
  t.match(of(findings, 'trip'), [{ id: 'trip_lost', todo: /deepcod\/yard\/frame/ }]);
});

t.test('a real edge: the test frame comes back; another bundle is not there', async (t) => {
  const edge = await testEdge();
  t.teardown(() => edge.close());
  const findings = await found(t, ['trip', 'agent', 'versions'], edge.brokerUrl);
  t.match(of(findings, 'edge'), [{ id: 'edge_ok' }]);
  t.match(of(findings, 'trip'), [{ id: 'trip_ok', values: { ms: Number, bytes: Number } }]);
  t.match(of(findings, 'agent'), [{ id: 'agent_unknown', status: 'warning' }]);
  t.match(of(findings, 'versions'), [{ id: 'versions_ok' }]);
  t.match(of(await found(t, ['edge'], edge.brokerUrl, { bundle: join(process.cwd(), context) }), 'edge'), [
    { id: 'edge_without_bundle' },
  ]);
});

t.test('a running agent is watched, and not disturbed', async (t) => {
  const edge = await testEdge();
  t.teardown(() => edge.close());
  const running = await testAgent(edge.brokerUrl, {}, { openCamera: noiseCamera(Number.POSITIVE_INFINITY, 50) });
  await until(() => running.trips.length > 3, 'results');
  const findings = await found(t, ['agent', 'trip'], edge.brokerUrl);
  t.match(of(findings, 'agent'), [{ id: 'agent_ok', what: /results of \d+ frames/ }]);
  t.match(of(findings, 'trip'), [{ status: 'skipped', what: /agent is running/ }]);
  await running.stop();
  t.match(of(await found(t, ['agent'], edge.brokerUrl), 'agent'), [{ id: 'agent_offline', symptom: 'silent' }]);
  t.notOk(
    running.events.some(({ message }) => /another client/.test(message)),
    'its name at the broker is left to it',
  );
});

t.test('what an agent says of itself', async (t) => {
  const alone = { ...decision(1, 'device', 'no edge answers'), reason: 'no_edge' as const };
  const { url, client } = await broker(t);
  await client.publishAsync(
    'deepcod/yard/status',
    JSON.stringify({ online: true, session: 1, versions: { deepcod: '0.0.1' } }),
    { retain: true },
  );
  /** Health messages that go on in this manner. */
  const says = async (change: (n: number) => Partial<HealthMessage>) => {
    let n = 0;
    const timer = setInterval(() => {
      n++;
      const health: HealthMessage = { v: 1, device: 'yard', session: 1, uptime_s: n, ...change(n) };
      client.publish('deepcod/yard/health', JSON.stringify(health), { retain: true });
    }, 200);
    const findings = await found(t, ['agent', 'versions'], url);
    clearInterval(timer);
    return findings;
  };
  const good = await says((n) => ({ frames: 10 * n, results: 10 * n, fps: 10 }));
  t.match(of(good, 'agent'), [{ id: 'agent_ok' }]);
  t.match(of(good, 'versions'), [{ id: 'version_restart', what: /running 0\.0\.1/ }]);
  const stuck = await says((n) => ({ frames: 10 * n, results: 4, drops: { timeout: 10 * n } }));
  t.match(of(stuck, 'agent'), [{ id: 'agent_stuck', what: /timeout: no answer in time/, symptom: 'silent' }]);
  t.match(of(await says(() => ({ frames: 7, results: 7 })), 'agent'), [{ id: 'agent_no_pictures', symptom: 'blind' }]);
  const losing = await says((n) => ({ frames: 10 * n, results: 8 * n, drops: { superseded: 5 * n, timeout: 2 * n } }));
  t.match(of(losing, 'agent'), [{ id: 'agent_losing', what: /lost: \d+ superseded: passed over.*; \d+ timeout/ }]);
  t.match(of(await says((n) => ({ frames: n, results: n, partition: 'device', decision: alone })), 'agent'), [
    { id: 'agent_local' },
  ]);
});

t.test('versions of the edge', async (t) => {
  const { url, client } = await broker(t);
  const at = async (deepcod: string) => {
    await client.publishAsync('deepcod/edge/shed/status', JSON.stringify({ online: true, versions: { deepcod } }), {
      retain: true,
      qos: 1,
    });
    return of(await found(t, ['edge', 'versions'], url), 'versions');
  };
  t.match(await at('9.0.0'), [{ id: 'version_edge_newer', todo: /deepcod_9\.0\.0_/ }]);
  t.match(await at('0.0.9'), [{ id: 'version_edge_older' }]);
});
