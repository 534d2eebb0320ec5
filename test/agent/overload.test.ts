import { join } from 'node:path';
import mqtt from 'mqtt';
import t, { type Test } from 'tap';
import { profileFingerprint } from '../../agent/partition/fingerprint.js';
import { writeProfile } from '../../agent/partition/profile.js';
import { startBroker } from '../../edge/broker.js';
import { failureOf } from '../../edge/worker/answer.js';
import { openEdgeBundle } from '../../edge/worker/bundles.js';
import { silentLog } from '../../platform/log.js';
import { encodeResult, identityOf, parseFrame, Topics } from '../../protocol/index.js';
import { noiseCamera, testAgent, tinyBundle, until } from './rig.js';

/** An edge that refuses every frame at once, and says how long it would have waited. */
async function overloadedEdge(t: Test, waitMs: number) {
  const broker = await startBroker({ host: '127.0.0.1', port: 0 }, silentLog);
  const topics = new Topics();
  const edge = await mqtt.connectAsync(broker.url, { protocolVersion: 4 });
  const frames: number[] = [];
  edge.on('message', (topic, payload) => {
    frames.push(performance.now());
    const identity = identityOf(parseFrame(payload));
    const answer = failureOf(identity, 'full', { code: 'overloaded', message: 'more frames come', waitMs });
    edge.publish(topic.replace(/frame$/, 'result'), encodeResult(answer));
  });
  await edge.subscribeAsync(topics.filters.allFrames());
  const { id, name } = await openEdgeBundle(tinyBundle);
  const status = { online: true, worker: 'full', bundles: [{ id, name }], load: 1 };
  await edge.publishAsync(topics.edgeStatus('full'), JSON.stringify(status), { retain: true });
  t.teardown(async () => {
    await edge.endAsync(true);
    await broker.close();
  });
  return { url: broker.url, frames };
}

t.test('an edge that is overloaded: the agent sends fewer and fewer frames', async (t) => {
  const { url, frames } = await overloadedEdge(t, 0);
  const agent = await testAgent(
    url,
    { partition: 'input', fallback: false, camera: { fps: 30 } },
    { openCamera: noiseCamera(Number.POSITIVE_INFINITY, 10) },
  );
  await until(() => frames.length >= 6, 'six frames');
  await agent.stop();
  // Two are on their way at first; then the pause doubles.
  const gaps = frames.slice(3).map((at, i) => at - frames[i + 2]);
  t.ok(
    gaps[gaps.length - 1] > 500,
    `${gaps.map(Math.round).join(', ')} ms apart, where the camera gives one each 10 ms`,
  );
  const { refused_overloaded: refused, superseded } = agent.agent.drops();
  t.ok(refused >= 5, `${refused} refused and counted`);
  t.ok(superseded > 20, `${superseded} pictures were replaced by newer ones meanwhile`);
});

t.test('where it may, the agent answers itself instead', async (t) => {
  const { url, frames } = await overloadedEdge(t, 1500);
  // Known times, so that the edge looks better whatever this machine is busy with.
  const { id } = await openEdgeBundle(tinyBundle);
  const file = join(t.testdir(), 'profile.json');
  writeProfile(file, {
    fingerprint: profileFingerprint(id, 1, 'rgb'),
    device_ms: { input: 0.01, device: 0.5 },
    edge_ms: {},
  });
  const agent = await testAgent(
    url,
    { profile: { file, device_scale: 300 }, camera: { fps: 50 } },
    { openCamera: noiseCamera(Number.POSITIVE_INFINITY, 20) },
  );
  await until(() => agent.trips.filter(({ outcome }) => outcome === 'local').length >= 50, 'local results');
  await agent.stop();
  const sent = agent.trips.filter(({ outcome }) => outcome === 'refused').length;
  t.ok(sent > 0, 'the edge looks better, and is tried');
  t.ok(frames.length >= sent);
  t.ok(sent <= 0.2 * agent.trips.length, `${sent} of ${agent.trips.length} were sent and refused`);
});
