import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import mqtt from 'mqtt';
import sharp from 'sharp';
import t from 'tap';
import { startBroker } from '../../edge/broker.js';
import { startEdge } from '../../edge/edge.js';
import { startWeb } from '../../edge/web/server.js';
import { openEdgeBundle } from '../../edge/worker/bundles.js';
import { Coding, encodeFrame, PARTITION_RAW } from '../../protocol/index.js';
import {
  bundleCopy,
  codedFrame,
  Device,
  encodeHealth,
  header,
  rawFrame,
  recordedLog,
  tinyConfig,
  until,
} from './feed-parts.js';

t.test('a running edge feeds its page: answers, pictures of raw frames, health, other edges, errors', async (t) => {
  const { log } = recordedLog();
  const edge = await startEdge(tinyConfig({ broker: { port: 0 } }), log);
  const web = await startWeb({ host: '127.0.0.1', port: 0 }, edge, log);
  const device = await Device.connect(edge.brokerUrl, 'cam');
  const other = await mqtt.connectAsync(edge.brokerUrl, { protocolVersion: 4, clientId: 'other' });
  t.teardown(async () => {
    await device.close();
    await other.endAsync(true);
    await web.close();
    await edge.close();
  });
  await edge.link.broker.ready(10_000);
  const { store } = web;
  const end = store.subscribe(() => {});

  device.send(codedFrame(1));
  await until(() => store.device('cam')?.counts.results === 1, 'the first answer at the page');
  t.match(store.device('cam')?.trips, [
    { frame: 1, partition: 'input', rate: 0, worker: 'edge-1', bytes: codedFrame(1).length },
  ]);
  t.match(store.device('cam')?.counts, { frames: 1, bytes: codedFrame(1).length });
  t.equal(store.device('cam')?.shown(Date.now())?.snapshot, undefined, 'symbols are no picture');

  device.send(rawFrame(2));
  await until(() => store.device('cam')?.shown(Date.now())?.snapshot !== undefined, 'the picture of a raw frame');
  t.match(store.device('cam')?.shown(Date.now()), {
    frame: 2,
    answered: true,
    snapshot: { from: 'input', type: 'image/jpeg' },
  });

  await other.publishAsync('deepcod/cam/health', encodeHealth('cam'), { retain: true });
  await until(() => store.device('cam')?.health !== undefined, 'the health of the device');
  t.equal(store.device('cam')?.health?.fps, 4.5);
  const state = (await (await fetch(`${web.url}api/state`)).json()) as { devices: object[] };
  t.match(state.devices, [
    {
      health: { waiting_results: 2 },
      decision: { frame: 9, why: 'the link became slow', link: { mbps: 2 }, options: [{ total_ms: 6 }] },
      reasons: [{ frame: 9, reason: 'better' }],
    },
  ]);

  await other.publishAsync('deepcod/edge/edge-2/status', JSON.stringify({ online: true, provider: 'cuda' }), {
    retain: true,
  });
  await until(() => store.workers().length === 2, 'another edge');
  t.match(store.workers(), [
    { name: 'edge-1', status: { online: true } },
    { name: 'edge-2', status: { provider: 'cuda' } },
  ]);

  // what another edge answered is shown too; what this one answered comes back from the broker and is not counted twice
  const answer = {
    v: 1,
    session: 99,
    frame: 7,
    bundle: '0011223344556677',
    partition: 'input',
    rate: 0,
    worker: 'edge-2',
  };
  const rest = { width: 8, height: 8, detections: [], edge_ms: { queue: 0, decode: 0, tail: 1, post: 0, total: 1 } };
  await other.publishAsync('deepcod/far/result', JSON.stringify({ ...answer, ...rest }));
  await until(() => store.device('far') !== undefined, 'a device of another edge');
  t.equal(store.device('far')?.trips[0]?.worker, 'edge-2');
  t.equal(store.device('cam')?.counts.results, 2);

  device.send(codedFrame(3, 0, 0, { ...header(3), bundleId: '00000000000000ff' }));
  await until(() => store.device('cam')?.counts.failures === 1, 'the error at the page');
  t.match(store.device('cam')?.errors, [{ code: 'unknown_bundle', hint: /tiny/, count: 1 }]);

  for (const junk of ['', '{', '{"v":1}', 'null', '\u0000'.repeat(500)]) {
    for (const topic of ['far/health', 'far/status', 'far/result', 'edge/edge-1/status'])
      await other.publishAsync(`deepcod/${topic}`, junk);
  }
  device.send(codedFrame(4));
  await until(() => store.device('cam')?.counts.results === 3, 'an answer after all the junk');
  t.equal((await fetch(`${web.url}healthz`)).status, 200);
  end();
});

t.test('an edge without its broker is well, and not ready', async (t) => {
  const { log } = recordedLog();
  const broker = await startBroker({ host: '127.0.0.1', port: 0 }, log);
  const edge = await startEdge(tinyConfig({ broker: { url: broker.url } }), log);
  const web = await startWeb({ host: '127.0.0.1', port: 0 }, edge, log);
  t.teardown(async () => {
    await web.close();
    await edge.close();
  });
  const asked = async (path: string): Promise<string> => {
    const reply = await fetch(`${web.url}${path}`);
    return `${reply.status} ${await reply.text()}`;
  };
  await edge.link.broker.ready(10_000);
  t.equal(await asked('readyz'), '200 ready\n');
  await broker.close();
  await until(() => !edge.link.broker.connected, 'the edge to notice');
  t.equal(await asked('readyz'), '503 the broker is not reached\n');
  t.equal(await asked('healthz'), '200 ok\n', 'a restart would change nothing');
});

t.test('frames that are JPEG files are shown as they came, to the page and to whoever keeps pictures', async (t) => {
  const folder = await bundleCopy(t);
  const file = join(folder, 'manifest.json');
  const manifest = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, JSON.stringify({ ...manifest, pictures: [{ quality: 75, payload_bytes_mean: 1000 }] }));
  const { id } = await openEdgeBundle(folder);
  const { log } = recordedLog();
  const edge = await startEdge(tinyConfig({ broker: { port: 0 }, bundles: [folder] }), log);
  const web = await startWeb({ host: '127.0.0.1', port: 0 }, edge, log);
  const device = await Device.connect(edge.brokerUrl, 'cam');
  t.teardown(async () => {
    await device.close();
    await web.close();
    await edge.close();
  });
  await edge.link.broker.ready(10_000);
  const kept: unknown[] = [];
  web.store.onPair((name, { frame, snapshot, answered }) => kept.push({ name, frame, snapshot, answered }));
  const change = { coding: Coding.jpeg, partition: PARTITION_RAW, bundleId: id };
  const send = (frame: number, payload: Uint8Array, source = { sourceWidth: 640, sourceHeight: 320 }) =>
    device.send(encodeFrame(header(frame, { ...change, ...source }), payload));

  send(1, Buffer.from('no picture at all'));
  await device.answerTo(1);
  t.equal(web.store.device('cam')?.shown(Date.now())?.snapshot, undefined, 'what could not be decoded is not shown');

  // of 640x320 pixels as many as the tiny bundle's input has room for
  const colours = { r: 200, g: 40, b: 90 };
  const image = sharp({ create: { width: 32, height: 16, channels: 3, background: colours } });
  const plain = await image.clone().jpeg().toBuffer();
  send(2, await image.withMetadata({ orientation: 3 }).jpeg().toBuffer());
  await until(() => kept.length > 0, 'the picture');
  const snapshot = { from: 'input', type: 'image/jpeg', width: 32, height: 16 };
  t.match(kept, [{ name: 'cam', frame: 2, answered: true, snapshot }]);
  const shown = await fetch(`${web.url}api/v1/cameras/cam/picture`);
  t.equal(shown.headers.get('content-type'), 'image/jpeg');
  const data = Buffer.from(await shown.arrayBuffer());
  t.same(await sharp(data).raw().toBuffer(), await sharp(plain).raw().toBuffer(), 'compressed once, by the device');
  t.notOk((await sharp(data).metadata()).orientation, 'and nothing beside it');
});

t.test('a device that goes shows as away', async (t) => {
  const { log } = recordedLog();
  const edge = await startEdge(tinyConfig({ broker: { port: 0 } }), log);
  const web = await startWeb({ host: '127.0.0.1', port: 0 }, edge, log);
  t.teardown(async () => {
    await web.close();
    await edge.close();
  });
  await edge.link.broker.ready(10_000);
  const client = await mqtt.connectAsync(edge.brokerUrl, {
    protocolVersion: 4,
    clientId: 'cam',
    will: { topic: 'deepcod/cam/status', payload: Buffer.from('{"online":false}'), retain: true, qos: 0 },
  });
  await client.publishAsync('deepcod/cam/status', JSON.stringify({ online: true, session: 5 }), { retain: true });
  await until(() => web.store.device('cam')?.present(Date.now()) === true, 'the device');
  client.stream.destroy();
  client.end(true);
  await until(() => web.store.device('cam')?.present(Date.now()) === false, 'its last will');
  t.match(web.store.device('cam')?.status, { online: false, session: 5 });
});
