import mqtt from 'mqtt';
import t from 'tap';
import { startEdge } from '../../edge/edge.js';
import { startWeb } from '../../edge/web/server.js';
import { codedFrame, Device, encodeHealth, header, rawFrame, recordedLog, tinyConfig, until } from './feed-parts.js';

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
