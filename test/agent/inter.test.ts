/** Frames predicted from earlier ones, from the agent's camera to the edge's answer and back, over the embedded broker. */
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import t, { type Test } from 'tap';
import type { OpenCamera } from '../../agent/camera/camera.js';
import type { Trip } from '../../agent/pipeline/trip.js';
import { startBroker } from '../../edge/broker.js';
import { openBundle } from '../../platform/bundle.js';
import { silentLog } from '../../platform/log.js';
import { connectMqtt } from '../../platform/mqtt.js';
import { packageRoot } from '../../platform/root.js';
import { Coding, parseFrame } from '../../protocol/frame.js';
import { encodeResult, type FrameResult, parseResult } from '../../protocol/result.js';
import { postprocess } from '../../protocol/tasks/postprocess.js';
import type { Outputs } from '../../protocol/tasks/task.js';
import { testAgent, testEdge, tinyBundle, until } from './rig.js';

const bundle = join(packageRoot(), 'test/fixtures/tiny-context-bundle');

/** A still picture of patches, of the size of the input, one of which moves; each seed another. `cut` frames after the start all of it changes. */
function stillCamera(seed = 0, paceMs = 10, cut = Number.POSITIVE_INFINITY): OpenCamera {
  return async (_, fit) => {
    let taken = 0;
    return {
      description: 'still',
      async next(signal) {
        await new Promise((resolve) => setTimeout(resolve, paceMs));
        signal.throwIfAborted();
        const { width, height } = fit(32, 32);
        const data = new Uint8Array(width * height * 3);
        const scene = taken >= cut ? 97 : 0;
        for (let i = 0; i < data.length; i++) {
          const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
          const moving = Math.abs(x - ((taken * 2) % 32)) < 4 && Math.abs(y - 12) < 4;
          data[i] = moving ? 230 : ((x >> 3) * 41 + (y >> 3) * 67 + (i % 3) * 31 * (seed + 1) + scene) % 220;
        }
        taken++;
        return { data, width, height, sourceWidth: 32, sourceHeight: 32, capturedAt: performance.now(), captureMs: 0 };
      },
      async close() {},
    };
  };
}

/** Whether every answered frame has the boxes that head and tail give, run one after the other with nothing in between. */
async function lossless(t: Test, trips: Trip[]): Promise<void> {
  const { manifest } = await openBundle(bundle);
  const open = (name: string) =>
    ort.InferenceSession.create(join(bundle, name, 'input.onnx'), { intraOpNumThreads: 1 });
  const [head, tail] = [await open('heads'), await open('tails')];
  let boxes = 0;
  for (const { outcome, picture, rate: index, detections, frame } of trips) {
    if (outcome !== 'result') continue;
    const rate = new ort.Tensor('int64', BigInt64Array.of(BigInt(index)), [1]);
    const { symbols } = await head.run({ picture: new ort.Tensor('uint8', picture.data, [1, 32, 32, 3]), rate });
    const outputs = await tail.run({ symbols, rate });
    const direct = postprocess(outputs as unknown as Outputs, 0, manifest, { width: 32, height: 32 });
    const edge_ms = { queue: 0, decode: 0, tail: 0, post: 0, total: 0 };
    const wire = JSON.parse(encodeResult({ detections: direct, edge_ms } as unknown as FrameResult));
    if (JSON.stringify(wire.detections) !== JSON.stringify(detections)) t.fail(`frame ${frame} has other boxes`);
    boxes += detections.length;
  }
  t.ok(boxes > 0, 'and there is something to compare');
  await Promise.all([head.release(), tail.release()]);
}

const settings = { bundle, partition: 'input', rate: 0, fallback: false };
const codings = (trips: Trip[]) => trips.filter(({ outcome }) => outcome === 'result').map(({ coding }) => coding);
const byFrame = (trips: Trip[]) => [...trips].sort((a, b) => a.frame - b.frame);
const inter = (trips: Trip[]) => codings(trips).filter((coding) => coding === 'inter').length;

t.test('a still camera: one key frame, then what changed', async (t) => {
  const edge = await testEdge(undefined, { bundles: [bundle] });
  const { done, trips, agent } = await testAgent(edge.brokerUrl, settings, {
    frames: 60,
    openCamera: stillCamera(),
  });
  await done;
  t.equal(trips.length, 60);
  t.ok(trips.every(({ outcome }) => outcome === 'result'));
  const coding = codings(byFrame(trips));
  t.equal(coding[0], 'key');
  t.ok(inter(trips) >= 55, `${inter(trips)} of 60 predicted`);
  const mean = (of: string) => {
    const sizes = trips.filter((trip) => trip.coding === of).map(({ bytes }) => bytes - 36);
    return sizes.reduce((a, b) => a + b, 0) / sizes.length;
  };
  t.ok(mean('inter') < 0.7 * mean('key'), `${mean('inter')} instead of ${mean('key')} bytes`);
  t.same(agent.health().coding, { key: 60 - inter(trips), inter: inter(trips) });
  await lossless(t, trips);
  await edge.close();
});

t.test('a scene change is a key frame by itself; key_interval_s 0 makes all of them key frames', async (t) => {
  const edge = await testEdge(undefined, { bundles: [bundle] });
  const one = { ...settings, in_flight: 1 };
  const cut = await testAgent(edge.brokerUrl, one, { frames: 30, openCamera: stillCamera(0, 10, 15) });
  await cut.done;
  const coding = codings(byFrame(cut.trips));
  t.equal(coding.indexOf('key', 1), 15);
  t.equal(coding.filter((c) => c === 'key').length, 2);
  const keys = { ...one, key_interval_s: 0 };
  const all = await testAgent(edge.brokerUrl, keys, { frames: 10, openCamera: stillCamera() });
  await all.done;
  t.equal(inter(all.trips), 0);
  await lossless(t, [...cut.trips, ...all.trips]);
  await edge.close();
});

t.test('a bundle without such tables works as before', async (t) => {
  const edge = await testEdge();
  const plain = { ...settings, bundle: tinyBundle };
  const { done, trips } = await testAgent(edge.brokerUrl, plain, { frames: 10, openCamera: stillCamera() });
  await done;
  t.same(codings(trips), new Array(10).fill('key'));
  await edge.close();
});

t.test('a lost frame, a lost result: the next one is a key frame', async (t) => {
  const edge = await testEdge(undefined, { bundles: [bundle] });
  // The agent has another base than the edge; what passes between them is decided here.
  const options = { broker: { url: edge.brokerUrl, version: '3.1.1' as const, keepalive_s: 15 }, clientId: 'bridge' };
  const bridge = connectMqtt(options, silentLog);
  const sent: { frame: number; coding: Coding }[] = [];
  const lost = { frame: -1, result: -1 };
  bridge.subscribe('far/yard/frame', (_, message) => {
    const { frame, coding } = parseFrame(message);
    sent.push({ frame, coding });
    if (frame !== lost.frame) bridge.publish('deepcod/yard/frame', message);
  });
  bridge.subscribe('deepcod/yard/result', (_, message) => {
    if (parseResult(message).frame !== lost.result) bridge.publish('far/yard/result', message);
  });
  bridge.subscribe('deepcod/edge/+/status', (topic, message) => {
    bridge.publish(topic.replace('deepcod', 'far'), message, { retain: true });
  });
  await bridge.ready(10_000);
  const far = { ...settings, base: 'far', in_flight: 1, timeout_ms: 500 };
  const { stop, trips } = await testAgent(edge.brokerUrl, far, { openCamera: stillCamera() });
  for (const what of ['frame', 'result'] as const) {
    const before = inter(trips);
    await until(() => inter(trips) >= before + 5, 'predicted frames');
    const number = (trips.at(-1)?.frame ?? 0) + 3;
    lost[what] = number;
    await until(
      () => trips.some(({ frame, outcome }) => frame === number && outcome === 'timeout'),
      `the lost ${what}`,
    );
    const after = inter(trips);
    await until(() => inter(trips) >= after + 3, 'predicted frames again');
    t.equal(sent.find(({ frame }) => frame === number)?.coding, Coding.inter, 'what was lost was predicted');
    t.equal(sent.find(({ frame }) => frame === number + 1)?.coding, Coding.intra, `after a lost ${what}`);
  }
  await stop();
  await lossless(t, trips);
  await bridge.close();
  await edge.close();
});

t.test('an edge that starts again, an agent that starts again, two devices, two edges', async (t) => {
  const broker = await startBroker({ host: '127.0.0.1', port: 0 }, silentLog);
  const at = { url: broker.url, version: '3.1.1' };
  let edge = await testEdge(at, { bundles: [bundle] });
  const one = await testAgent(broker.url, settings, { openCamera: stillCamera(0) });
  const two = await testAgent(broker.url, { ...settings, device: 'gate' }, { openCamera: stillCamera(5) });
  await until(() => inter(one.trips) > 10 && inter(two.trips) > 10, 'predicted frames of both');

  await edge.close();
  edge = await testEdge(at, { bundles: [bundle] });
  const [before, other] = [inter(one.trips), inter(two.trips)];
  await until(() => inter(one.trips) > before + 10 && inter(two.trips) > other + 10, 'predicted frames again');

  await one.stop();
  const again = await testAgent(broker.url, settings, { openCamera: stillCamera(9) });
  await until(() => inter(again.trips) > 10, 'predicted frames of the agent that started again');
  t.equal(again.trips[0].coding, 'key');

  const second = await testEdge(at, { bundles: [bundle], worker: 'edge-2' });
  await until(() => again.agent.edges.online.length === 2, 'the second edge');
  const mark = again.trips.length;
  await until(() => again.trips.length > mark + 10, 'more frames');
  await again.stop();
  await two.stop();
  const late = again.trips.slice(mark + 3);
  t.equal(new Set(late.map(({ worker }) => worker)).size, 1, 'with several edges it stays with one of them');
  t.ok(
    late.every(({ coding }) => coding === 'inter'),
    'which has what frames are predicted from',
  );
  const all = [one, two, again];
  for (const { trips } of all) await lossless(t, trips);
  t.notOk(
    all.some(({ trips }) => trips.some(({ refusal }) => refusal === 'need_key_frame')),
    'a missing reference loses no frame: it is sent again',
  );
  await second.close();
  await edge.close();
  await broker.close();
});
