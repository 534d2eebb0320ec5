import { existsSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import t from 'tap';
import type { Picture } from '../../agent/camera/camera.js';
import { openCamera } from '../../agent/camera/index.js';
import type { Trip } from '../../agent/pipeline/trip.js';
import { openBundle } from '../../platform/bundle.js';
import { silentLog } from '../../platform/log.js';
import { connectMqtt } from '../../platform/mqtt.js';
import { packageRoot } from '../../platform/root.js';
import { type HealthMessage, parseHealth } from '../../protocol/health.js';
import { fitPicture, placePicture } from '../../protocol/letterbox.js';
import { encodeResult, type FrameResult } from '../../protocol/result.js';
import { postprocess } from '../../protocol/tasks/postprocess.js';
import type { Outputs } from '../../protocol/tasks/task.js';
import { freePort } from '../platform/brokers.js';
import { noiseCamera, testAgent, testEdge, tinyBundle, until } from './rig.js';

/** What ONNX Runtime and post-processing say about a picture, with nothing in between; rounded as on the wire. */
async function direct(bundleDir: string, session: ort.InferenceSession, picture: Picture) {
  const { manifest } = await openBundle(bundleDir);
  const { width, height } = manifest.input;
  const input = new Uint8Array(width * height * 3);
  placePicture(
    manifest.input,
    fitPicture(manifest.input, picture.sourceWidth, picture.sourceHeight),
    picture.data,
    input,
  );
  const outputs = await session.run({ picture: new ort.Tensor('uint8', input, [1, height, width, 3]) });
  const source = { width: picture.sourceWidth, height: picture.sourceHeight };
  const detections = postprocess(outputs as unknown as Outputs, 0, manifest, source);
  const wire = encodeResult({
    detections,
    edge_ms: { queue: 0, decode: 0, tail: 0, post: 0, total: 0 },
  } as unknown as FrameResult);
  return (JSON.parse(wire) as FrameResult).detections;
}

const byFrame = (trips: Trip[]) => [...trips].sort((a, b) => a.frame - b.frame);

for (const { name, bundle, camera } of [
  { name: 'tiny bundle', bundle: tinyBundle, camera: noiseCamera() },
  { name: 'default bundle', bundle: join(packageRoot(), 'models/onnx/worksite'), camera: openCamera },
]) {
  const skip = existsSync(join(bundle, 'manifest.json')) ? false : 'not in this checkout';
  t.test(
    `lossless: raw pixels are answered as ONNX Runtime itself does, box for box (${name})`,
    { skip },
    async (t) => {
      const edge = await testEdge(undefined, { bundles: [bundle] });
      const settings = { partition: 'raw', bundle, timeout_ms: 30_000, fallback: false };
      const { done, trips } = await testAgent(edge.brokerUrl, settings, { frames: 8, openCamera: camera });
      await done;
      t.equal(trips.length, 8);
      const session = await ort.InferenceSession.create(join(bundle, 'service.onnx'), { intraOpNumThreads: 1 });
      let boxes = 0;
      for (const trip of byFrame(trips)) {
        t.equal(trip.outcome, 'result');
        t.same(trip.detections, await direct(bundle, session, trip.picture));
        boxes += trip.detections.length;
      }
      t.ok(boxes > 0, 'and there is something to compare');
      await session.release();
      await edge.close();
    },
  );
}

t.test('a partition point: every step is timed, answers are near those of the service', async (t) => {
  const edge = await testEdge();
  const { done, trips, agent } = await testAgent(edge.brokerUrl, { partition: 'input', rate: 1 }, { frames: 20 });
  await done;
  t.equal(trips.length, 20);
  t.ok(trips.every((trip) => trip.outcome === 'result'));
  t.ok(
    trips.every((trip) => trip.partition === 'input' && trip.rate === 1 && trip.bytes > 36 && trip.bytes < 36 + 192),
  );
  const { steps } = trips[10];
  t.same(Object.keys(steps).sort(), [
    ...['capture', 'decode', 'down', 'encode', 'head', 'post', 'preprocess', 'queue', 'tail', 'total', 'up'],
  ]);
  const sum = Object.entries(steps).reduce((ms, [step, value]) => (step === 'total' ? ms : ms + value), 0);
  t.ok(sum <= (steps.total ?? 0) + 0.5, 'the steps are parts of the whole');
  t.ok(trips.some((trip) => trip.detections.length > 0));
  t.match(agent.stats, { frames: 20, results: 20, lost: 0 });
  t.equal(agent.planner.bandwidth.transfers, 10);
  await edge.close();
});

t.test('pictures: on a fast link to an edge, the picture itself is quickest', async (t) => {
  const bundle = join(packageRoot(), 'models/onnx/worksite');
  const edge = await testEdge(undefined, { bundles: [bundle] });
  const settings = { bundle, partition: 'jpeg', rate: 2, timeout_ms: 30_000, fallback: false };
  const one = await testAgent(edge.brokerUrl, settings, { frames: 4, openCamera });
  await one.done;
  for (const trip of one.trips) {
    t.match(trip, { outcome: 'result', partition: 'jpeg', rate: 2, coding: 'jpeg' });
    t.ok(trip.bytes > 2000 && trip.bytes < 60_000, `${trip.bytes} bytes`);
    t.ok((trip.steps.encode ?? 0) > 0);
  }
  t.match(one.agent.health(), { coding: { jpeg: 4 } });
  const auto = { ...settings, partition: 'auto', rate: 'auto', pictures: true, profile: { bandwidth_mbps: 1000 } };
  const { done, trips, events } = await testAgent(edge.brokerUrl, auto, { frames: 6, openCamera });
  await done;
  t.match(events.find(({ message }) => message === 'measured this device')?.fields, { jpeg_ms: Number });
  t.ok(
    trips.some(({ partition }) => partition === 'jpeg' || partition === 'raw'),
    'one of the two is taken',
  );
  await edge.close();
});

t.test('auto decides among what the bundle has, and measures the device first', async (t) => {
  const edge = await testEdge();
  const settings = { partition: 'auto', profile: { device_scale: 1000 } };
  const { done, trips, events } = await testAgent(edge.brokerUrl, settings, { frames: 10 });
  await done;
  t.match(events.find(({ message }) => message === 'measured this device')?.fields, {
    input_ms: Number,
    device_ms: Number,
  });
  t.ok(trips.every(({ outcome }) => outcome === 'result' || outcome === 'local'));
  await edge.close();
});

t.test('the device alone: no broker, the service runs here and says so', async (t) => {
  const url = `mqtt://127.0.0.1:${await freePort()}`;
  const { done, trips, events, agent } = await testAgent(url, { partition: 'input' }, { frames: 5 });
  await done;
  t.equal(trips.length, 5);
  t.ok(
    trips.every(({ outcome, partition, worker }) => outcome === 'local' && partition === 'device' && worker === 'yard'),
  );
  const session = await ort.InferenceSession.create(join(tinyBundle, 'service.onnx'));
  for (const trip of byFrame(trips)) {
    const round = (value: number, steps: number) => Math.round(value * steps) / steps;
    const rounded = trip.detections.map((d) => ({
      ...d,
      score: round(d.score, 1e4),
      box: d.box.map((v) => round(v, 1e2)),
    }));
    t.same(rounded, await direct(tinyBundle, session, trip.picture));
  }
  t.ok(events.some(({ level, message }) => level === 'warn' && /cannot be reached/.test(message)));
  t.match(agent.health(), { partition: 'device', results: 5, lost: 0 });
});

t.test('local results are published as such; health and status are retained', async (t) => {
  const edge = await testEdge();
  const heard = new Map<string, unknown[]>();
  const options = { broker: { url: edge.brokerUrl, version: 'auto' as const, keepalive_s: 15 }, clientId: 'reader' };
  const reader = connectMqtt(options, silentLog);
  reader.subscribe('deepcod/yard/#', (topic, payload) => {
    const leaf = topic.split('/')[2];
    if (leaf === 'frame') return;
    heard.set(leaf, [
      ...(heard.get(leaf) ?? []),
      leaf === 'health' ? parseHealth(payload) : JSON.parse(payload.toString()),
    ]);
  });
  await reader.ready(10_000);
  const { stop, agent } = await testAgent(
    edge.brokerUrl,
    { partition: 'device' },
    { openCamera: noiseCamera(undefined, 20) },
  );
  await until(
    () => (heard.get('result')?.length ?? 0) > 3 && (heard.get('health')?.length ?? 0) > 3,
    'results and health',
  );
  await stop();
  await until(() => heard.get('status')?.length === 2, 'the goodbye');
  t.match(heard.get('result')?.[0], { local: true, worker: 'yard', partition: 'device', session: agent.session });
  t.match(heard.get('status'), [{ online: true, session: agent.session, bundle: { name: 'tiny' } }, { online: false }]);
  const health = heard.get('health')?.at(-1) as HealthMessage;
  t.match(health, {
    v: 1,
    device: 'yard',
    partition: 'device',
    bundle: { name: 'tiny' },
    lost: 0,
    versions: { node: String },
  });
  t.ok((health.results ?? 0) > 0 && (health.rss_bytes ?? 0) > 0);
  await reader.close();
  await edge.close();
});

t.test('an edge with another bundle: a clear message, and the agent goes on', async (t) => {
  const edge = await testEdge();
  const other = t.testdir({});
  await cp(tinyBundle, other, { recursive: true });
  const manifest = await readFile(join(other, 'manifest.json'), 'utf8');
  await writeFile(join(other, 'manifest.json'), manifest.replace('"score_threshold": 0.3', '"score_threshold": 0.31'));
  const { stop, trips, events } = await testAgent(edge.brokerUrl, { partition: 'input', bundle: other });
  await until(() => trips.some(({ outcome }) => outcome === 'refused'), 'a refusal');
  await until(() => trips.filter(({ outcome }) => outcome === 'local').length > 3, 'answers from the device');
  await stop();
  const said = events.filter(({ level }) => level === 'error');
  t.equal(said.length, 1, 'once, not for every frame');
  t.match(said[0], { message: /refuses frames: .*bundle/, fields: { code: 'unknown_bundle', hint: String } });
  t.match(
    trips.find(({ outcome }) => outcome === 'refused'),
    { refusal: 'unknown_bundle' },
  );
  await edge.close();
});

t.test('the broker goes away and comes back: frames are answered here, then there again', async (t) => {
  const port = await freePort();
  const broker = { host: '127.0.0.1', port };
  let edge = await testEdge(broker);
  const settings = { partition: 'input' };
  const { stop, trips, agent } = await testAgent(edge.brokerUrl, settings, { openCamera: noiseCamera(undefined, 10) });
  await until(() => trips.some(({ outcome }) => outcome === 'result'), 'answers of the edge');
  await edge.close();
  await until(() => trips.at(-1)?.outcome === 'local', 'answers of the device');
  edge = await testEdge(broker);
  const before = agent.stats.results;
  await until(() => agent.stats.results > before + 3, 'answers of the edge again');
  await stop();
  const { frames, results, local, lost, drops } = agent.stats;
  t.equal(results + local + lost, frames, 'every frame is accounted for');
  // Whatever the second brought: an edge that stops refuses the frames that wait there (on a slow machine there are some).
  const causes: Record<string, number> = {};
  for (const { outcome, refusal } of trips) {
    if (outcome === 'result' || outcome === 'local') continue;
    const cause = outcome === 'refused' ? `refused_${refusal}` : `${outcome}`;
    causes[cause] = (causes[cause] ?? 0) + 1;
  }
  t.equal(
    Object.values(causes).reduce((a, b) => a + b, 0),
    lost,
    'every loss is a trip that ended so',
  );
  t.match(drops, causes, 'and is counted by its cause');
  t.notOk(causes.failed, 'none of them a failure of the device');
  await edge.close();
});

t.test('an edge that falls silent: losses are counted, the device takes over', async (t) => {
  const edge = await testEdge();
  const options = { broker: { url: edge.brokerUrl, version: 'auto' as const, keepalive_s: 15 }, clientId: 'impostor' };
  const impostor = connectMqtt(options, silentLog);
  await impostor.ready(10_000);
  impostor.publish('nobody/edge/ghost/status', JSON.stringify({ online: true }), { retain: true });
  const settings = { base: 'nobody', partition: 'input', timeout_ms: 60 };
  const { stop, trips, agent } = await testAgent(edge.brokerUrl, settings, { openCamera: noiseCamera(undefined, 10) });
  await until(() => trips.some(({ outcome }) => outcome === 'timeout'), 'lost frames');
  await until(() => trips.some(({ outcome }) => outcome === 'local'), 'answers of the device');
  await stop();
  t.ok((agent.stats.drops.timeout ?? 0) >= 3);
  t.equal(agent.stats.lost, agent.stats.drops.timeout);
  await impostor.close();
  await edge.close();
});

t.test('without the fallback frames wait for the broker, the newest of them', async (t) => {
  const url = `mqtt://127.0.0.1:${await freePort()}`;
  const settings = { partition: 'input', fallback: false, camera: { fps: 100 } };
  const { stop, trips, agent } = await testAgent(url, settings, { openCamera: noiseCamera(undefined, 5) });
  await until(() => (agent.health().drops?.superseded ?? 0) > 5, 'pictures that newer ones replaced');
  await stop();
  t.equal(trips.length, 0);
});

t.test('a bundle that is damaged, and settings that it lacks', async (t) => {
  await t.rejects(testAgent('mqtt://127.0.0.1:1', { partition: 'stage9' }), { code: 'partition_unknown', exitCode: 2 });
  const dir = t.testdir({});
  await cp(tinyBundle, dir, { recursive: true });
  await writeFile(join(dir, 'heads/input.onnx'), 'x');
  await t.rejects(testAgent('mqtt://127.0.0.1:1', { bundle: dir }), {
    code: 'bundle_hash',
    exitCode: 3,
    message: /heads\/input\.onnx/,
  });
});
