import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { OpenCamera } from '../../agent/camera/camera.js';
import { ResultStore } from '../../agent/store/store.js';
import type { Edge } from '../../edge/edge.js';
import { startWeb } from '../../edge/web/server.js';
import { silentLog } from '../../platform/log.js';
import { packageRoot } from '../../platform/root.js';
import { freePort } from '../platform/brokers.js';
import { frames, isRising, Reader } from './reader.js';
import { noiseCamera, testAgent, testEdge, until } from './rig.js';

/** A camera that can be held. */
function heldCamera(paceMs: number): { openCamera: OpenCamera; hold(on: boolean): void } {
  let held = false;
  const openCamera: OpenCamera = async (options, fit) => {
    const camera = await noiseCamera(undefined, paceMs)(options, fit);
    return {
      ...camera,
      async next(signal) {
        while (held && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, 5));
        return camera.next(signal);
      },
    };
  };
  return {
    openCamera,
    hold(on) {
      held = on;
    },
  };
}

t.test('keeps results in order: the broker goes, and comes back on its port', async (t) => {
  const broker = { host: '127.0.0.1', port: await freePort() };
  const reader = new Reader();
  const start = async (): Promise<Edge> => {
    const edge = await testEdge(broker);
    reader.listen(edge.link.broker);
    return edge;
  };
  let edge = await start();
  const camera = heldCamera(25);
  const folder = join(t.testdir({}), 'results');
  const { agent, trips, stop } = await testAgent(
    edge.brokerUrl,
    { partition: 'input', results: { folder } },
    { openCamera: camera.openCamera },
  );
  const quiet = async () => {
    camera.hold(true);
    await until(() => agent.stats.frames === trips.length, 'nothing on its way');
    await new Promise((resolve) => setTimeout(resolve, 100));
  };
  for (const round of [1, 2]) {
    const before = agent.stats.results;
    await until(() => agent.stats.results > before + 5, 'answers of the edge');
    await quiet();
    await edge.close();
    await until(() => agent.health().waiting_results === 0 && !agent.health().drops?.timeout, 'the loss');
    const local = agent.stats.local;
    camera.hold(false);
    await until(() => agent.stats.local >= local + 25, 'answers of the device');
    await until(() => (agent.health().waiting_results ?? 0) > 15, `results on the disk in round ${round}`);
    edge = await start();
    await until(() => agent.health().waiting_results === 0, 'what was kept is published');
  }
  const before = agent.stats.results;
  await until(() => agent.stats.results > before + 5, 'answers of the edge again');
  await quiet();
  await stop();
  const { heard } = reader;
  // What was kept comes beside the edge's answers, so each kind is in order by itself.
  const sorted = [...reader.frames].sort((a, b) => a - b);
  t.same(sorted, frames(trips, 'result', 'local'), 'none lost, none twice');
  t.ok(isRising(heard.filter((message) => !message.late).map(({ frame }) => frame)), 'answers in frame order');
  t.same(
    sorted,
    trips.map(({ frame }) => frame).sort((a, b) => a - b),
    'and no frame is without a result',
  );
  t.same(
    heard.filter(({ local }) => local).map(({ frame }) => frame),
    frames(trips, 'local'),
  );
  const late = heard.filter((message) => message.late);
  t.ok(late.length >= 40 && late.every(({ local, worker }) => local && worker === 'yard'));
  t.ok(isRising(late.map(({ at = 0 }, i) => at + i / 1000)), 'each says when its picture was taken');
  t.ok(Math.abs(Date.now() - (late.at(-1)?.at ?? 0)) < 60_000);
  t.ok(heard.every(({ local, at }) => local === (at === undefined ? undefined : true)));
  t.match(agent.stats, { lost: 0, drops: {} });
  await edge.close();
});

t.test('what an agent kept is published by its next start, and the page counts it once', async (t) => {
  const port = await freePort();
  const folder = join(t.testdir({}), 'results');
  const settings = { partition: 'device', results: { folder } };
  const first = await testAgent(`mqtt://127.0.0.1:${port}`, settings, { frames: 12 });
  await first.done;
  t.equal(first.agent.health().waiting_results, 12);

  const edge = await testEdge({ host: '127.0.0.1', port });
  const web = await startWeb({ host: '127.0.0.1', port: 0 }, edge, silentLog);
  await edge.link.broker.ready(10_000);
  const second = await testAgent(edge.brokerUrl, settings, { openCamera: noiseCamera(undefined, 20) });
  await until(() => (web.store.device('yard')?.trips.length ?? 0) >= 20, 'results at the page');
  const device = web.store.device('yard');
  const said = device?.trips.slice(0, 20).map(({ session, frame }) => [session === first.agent.session, frame]);
  t.same(
    said?.slice(0, 12),
    first.trips.map(({ frame }) => [true, frame]),
  );
  t.same(
    said?.slice(12),
    Array.from({ length: 8 }, (_, frame) => [false, frame]),
    'then its own',
  );
  t.equal(device?.shown(Date.now())?.session, second.agent.session, 'the past is not shown as the present');

  const { results = 0 } = device?.counts ?? {};
  const again = { session: first.agent.session, frame: 3, late: true, local: true, at: 1000, worker: 'yard' };
  const rest = { v: 1, bundle: '0011223344556677', partition: 'device', rate: 0, width: 8, height: 8, detections: [] };
  const edge_ms = { queue: 0, decode: 0, tail: 1, post: 0, total: 1 };
  await second.stop();
  const counted = second.agent.stats.local + 12;
  await until(() => web.store.device('yard')?.counts.results === counted, 'all of them');
  t.ok(results <= counted);
  const text = JSON.stringify({ ...again, ...rest, edge_ms });
  t.equal(await edge.link.broker.publishAcknowledged('deepcod/yard/result', text), 'acknowledged');
  const other = JSON.stringify({ ...again, ...rest, edge_ms, frame: 99 });
  t.equal(await edge.link.broker.publishAcknowledged('deepcod/yard/result', other), 'acknowledged');
  await until(() => web.store.device('yard')?.counts.results === counted + 1, 'the new one');
  t.equal(web.store.device('yard')?.trips.at(-1)?.at, 1000);
  await web.close();
  await edge.close();
});

t.test('long kept results do not hold up the edge', async (t) => {
  const folder = join(t.testdir({}), 'results');
  const store = new ResultStore(folder, 2 ** 24, () => {}, silentLog);
  const template = await readFile(join(packageRoot(), 'docs', 'protocol-vectors.json'), 'utf8');
  const [result] = (JSON.parse(template) as { results: { valid: string[] } }).results.valid;
  const kept = { ...JSON.parse(result), session: 5, local: true, late: true, at: 1_795_000_000_000 };
  for (let frame = 0; frame < 3000; frame++) await store.append(Buffer.from(JSON.stringify({ ...kept, frame })));
  await store.close();
  const edge = await testEdge();
  const reader = new Reader();
  reader.listen(edge.link.broker);
  const settings = { partition: 'input', results: { folder } };
  const { agent, trips, stop } = await testAgent(edge.brokerUrl, settings, {
    openCamera: noiseCamera(undefined, 20),
  });
  await until(() => agent.stats.results > 20, 'answers of the edge');
  t.ok((agent.health().waiting_results ?? 0) > 100, `${agent.health().waiting_results} still kept`);
  const answered = frames(trips, 'result').at(-1) as number;
  await until(() => reader.frames.includes(answered), 'the edge’s answers at the reader');
  const late = reader.heard.filter((message) => message.late);
  t.same(
    late.map(({ session, frame }) => [session, frame]),
    late.map((_, frame) => [5, frame]),
  );
  t.ok(isRising(reader.heard.filter((message) => !message.late).map(({ frame }) => frame)));
  await stop();
  await edge.close();
});
