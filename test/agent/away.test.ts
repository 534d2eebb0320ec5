import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import type { OpenCamera } from '../../agent/camera/camera.js';
import type { Trip } from '../../agent/pipeline/trip.js';
import type { Edge } from '../../edge/edge.js';
import { SeenFrames } from '../../edge/store/seen.js';
import { startWeb } from '../../edge/web/server.js';
import { silentLog } from '../../platform/log.js';
import { type Broker, connectMqtt } from '../../platform/mqtt.js';
import { type FrameResult, parseResult } from '../../protocol/result.js';
import { freePort } from '../platform/brokers.js';
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

/** A reader of a device's results, as the edge reads them. */
class Reader {
  readonly heard: FrameResult[] = [];
  twice = 0;
  readonly #seen = new SeenFrames();

  listen(broker: Broker): void {
    const onResult = (_: string, payload: Buffer): void => {
      const message = parseResult(payload) as FrameResult;
      if (this.#seen.add(message.session, message.frame)) this.heard.push(message);
      else this.twice++;
    };
    broker.subscribe('deepcod/yard/result', onResult, 1);
  }

  get frames(): number[] {
    return this.heard.map(({ frame }) => frame);
  }
}

const frames = (trips: Trip[], ...outcomes: string[]): number[] =>
  trips
    .filter(({ outcome }) => outcomes.includes(outcome ?? ''))
    .map(({ frame }) => frame)
    .sort((a, b) => a - b);
const isRising = (numbers: number[]): boolean => numbers.every((n, i) => i === 0 || n > numbers[i - 1]);

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
    await until(() => agent.stats.local >= local + 40, 'answers of the device');
    t.ok((agent.health().waiting_results ?? 0) > 30, `kept in round ${round}`);
    edge = await start();
    await until(() => agent.health().waiting_results === 0, 'what was kept is published');
  }
  const before = agent.stats.results;
  await until(() => agent.stats.results > before + 5, 'answers of the edge again');
  await quiet();
  await stop();
  const { heard } = reader;
  t.same(reader.frames, frames(trips, 'result', 'local'), 'in frame order, none lost, none twice');
  t.same(
    reader.frames,
    trips.map(({ frame }) => frame).sort((a, b) => a - b),
    'and no frame is without a result',
  );
  t.same(
    heard.filter(({ local }) => local).map(({ frame }) => frame),
    frames(trips, 'local'),
  );
  const late = heard.filter((message) => message.late);
  t.ok(late.length >= 80 && late.every(({ local, worker }) => local && worker === 'yard'));
  t.ok(isRising(late.map(({ at = 0 }, i) => at + i / 1000)), 'each says when its picture was taken');
  t.ok(Math.abs(Date.now() - (late.at(-1)?.at ?? 0)) < 60_000);
  t.ok(heard.every(({ local, at }) => local === (at === undefined ? undefined : true)));
  t.match(agent.stats, { lost: 0, drops: {} });
  await edge.close();
});

/** Passes bytes on, until it is told to stop (nobody notices) or to cut (both sides notice). */
class Wire {
  frozen = false;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((near) => {
    const far = connect(this.to, '127.0.0.1');
    for (const [from, into] of [
      [near, far],
      [far, near],
    ]) {
      this.#sockets.add(from);
      from.on('data', (bytes) => !this.frozen && into.write(bytes));
      from.on('error', () => {});
      from.on('close', () => {
        into.destroy();
        this.#sockets.delete(from);
      });
    }
  });

  constructor(readonly to: number) {}

  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `mqtt://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.frozen = false;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}

for (const partition of ['device', 'input']) {
  t.test(`a link that dies unnoticed in the midst of it, again and again (${partition})`, async (t) => {
    const edge = await testEdge();
    const wire = new Wire(Number(new URL(edge.brokerUrl).port));
    const url = await wire.open();
    const reader = new Reader();
    const options = { broker: { url: edge.brokerUrl, version: 'auto' as const, keepalive_s: 15 }, clientId: 'reader' };
    const direct = connectMqtt(options, silentLog);
    reader.listen(direct);
    await direct.ready(10_000);
    const { agent, trips, stop } = await testAgent(
      url,
      { partition, timeout_ms: 100, results: { folder: join(t.testdir({}), 'results') } },
      { openCamera: noiseCamera(undefined, 25) },
    );
    for (let round = 0; round < 4; round++) {
      const { frames } = agent.stats;
      await until(() => agent.stats.frames > frames + 20, 'frames');
      wire.frozen = true;
      // in the last round while what was kept is being published
      const { local } = agent.stats;
      await until(() => agent.stats.local > local + (round === 2 ? 60 : 20), 'answers of the device');
      wire.cut();
      await until(() => (agent.health().waiting_results ?? 0) > 0, 'what is kept');
      if (round < 2) await until(() => agent.health().waiting_results === 0, 'what was kept is published');
      else await until(() => reader.heard.some(({ frame }) => frame >= frames + 20), 'some of it');
    }
    await until(() => agent.health().waiting_results === 0, 'all is published');
    const { frames: last } = agent.stats;
    await until(() => agent.stats.frames > last + 10, 'more frames');
    await stop();
    await until(() => reader.frames.includes(frames(trips, 'local').at(-1) as number), 'the last one');
    const heard = new Set(reader.frames);
    t.equal(heard.size, reader.frames.length, 'none twice');
    t.same(
      frames(trips, 'result', 'local').filter((frame) => !heard.has(frame)),
      [],
      'none lost',
    );
    t.ok(isRising(reader.frames), 'in order');
    t.comment(`${reader.twice} came twice and were ignored; ${agent.stats.lost} frames lost on the dead link`);
    await direct.close();
    wire.close();
    await edge.close();
  });
}

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
  const port = await freePort();
  const folder = join(t.testdir({}), 'results');
  const settings = { partition: 'input', results: { folder } };
  const { agent, trips, stop } = await testAgent(`mqtt://127.0.0.1:${port}`, settings, {
    openCamera: noiseCamera(undefined, 1),
  });
  await until(() => agent.stats.local > 1600, 'many results');
  const edge = await testEdge({ host: '127.0.0.1', port });
  const reader = new Reader();
  reader.listen(edge.link.broker);
  await until(() => agent.stats.results > 20, 'answers of the edge');
  t.ok((agent.health().waiting_results ?? 0) > 100, `${agent.health().waiting_results} still kept`);
  const answered = frames(trips, 'result').at(-1) as number;
  await until(() => reader.frames.includes(answered), 'the edge’s answers at the reader');
  t.ok(isRising(reader.heard.filter(({ local }) => local).map(({ frame }) => frame)));
  t.ok(isRising(reader.heard.filter(({ late }) => !late).map(({ frame }) => frame)));
  await stop();
  await edge.close();
});
