import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import mqtt from 'mqtt';
import t from 'tap';
import { startEdge } from '../../edge/edge.js';
import { openEdgeBundles } from '../../edge/worker/bundles.js';
import { EdgeWorker } from '../../edge/worker/worker.js';
import { silentLog } from '../../platform/log.js';
import { parseResult, type ResultMessage, Topics } from '../../protocol/index.js';
import { bundleRelease } from '../../scripts/commands/update/make-release.js';
import { putRelease } from '../../scripts/commands/update/put.js';
import { codedFrame, header, recordedLog, tinyBundle, tinyConfig, tinyId, until } from '../edge/harness.js';
import { freePort } from '../platform/brokers.js';
import { makeBundle, newKey, tempFolder, terms } from './world.js';

const still = { provider: 'cpu', threads: 1, measure: false };

t.test('an edge is there before its releases are read, and gives back what is no longer released', async (t) => {
  const root = await tempFolder(t);
  const shelf = join(root, 'releases');
  const key = newKey();
  const old = await makeBundle(join(root, 'old'), { threshold: 0.31 });
  const next = await makeBundle(join(root, 'next'), { threshold: 0.32 });
  const first = await putRelease(shelf, await bundleRelease(join(root, 'old'), terms(1), key), join(root, 'old'));
  await putRelease(shelf, await bundleRelease(join(root, 'next'), terms(2), key), join(root, 'next'));
  const same = await putRelease(shelf, await bundleRelease(tinyBundle, terms(3), key), tinyBundle);
  const { log, said } = recordedLog();
  const edge = await startEdge(tinyConfig({ broker: { port: 0 }, updates: { folder: shelf }, inference: still }), log);
  t.teardown(() => edge.close());
  t.same([...edge.bundles.keys()], [tinyId], 'it does not wait for files to be hashed and models to be run');
  await until(() => edge.bundles.has(old) && edge.bundles.has(next), 'both bundles');
  const loaded = edge.gauges().models;
  t.ok(loaded > 0);

  await rm(first);
  await until(() => !edge.bundles.has(old), 'the bundle to be withdrawn');
  t.ok(edge.bundles.has(next), 'the other stays');
  await until(() => edge.gauges().models < loaded, 'its models to be given back');
  t.ok(said(/no longer served/));

  await rm(same);
  await putRelease(shelf, await bundleRelease(join(root, 'old'), terms(4), key), undefined);
  await until(() => edge.bundles.has(old), 'it again');
  t.ok(edge.bundles.has(tinyId), 'a bundle of the configuration stays, whatever is released');
});

t.test('until the releases are read nobody is told that there is nothing', async (t) => {
  const root = await tempFolder(t);
  const shelf = join(root, 'releases');
  const next = await makeBundle(join(root, 'next'), { threshold: 0.32, weights: 300_000 });
  const release = await bundleRelease(join(root, 'next'), terms(1), newKey());
  await putRelease(shelf, release, join(root, 'next'));
  const port = await freePort();
  const edge = await startEdge(
    tinyConfig({ broker: { port }, updates: { folder: shelf }, inference: still }),
    silentLog,
  );
  t.teardown(() => edge.close());
  const device = await mqtt.connectAsync(edge.brokerUrl, { protocolVersion: 4 });
  t.teardown(() => device.endAsync(true));
  const offers: string[] = [];
  device.on('message', (_topic, payload) => offers.push(payload.toString()));
  await device.subscribeAsync('deepcod/yard/update/offer/edge-1');
  await device.publishAsync('deepcod/yard/update/status', '{"state":"idle"}', { qos: 1, retain: true });
  await until(() => offers.length > 0, 'an offer');
  t.match(JSON.parse(offers[0]), { releases: [{ bundle: next }] }, 'the first word is the whole offer');
});

t.test('a bundle that may still be read is not unknown', async (t) => {
  const sent: ResultMessage[] = [];
  let reading = true;
  const bundles = await openEdgeBundles([tinyBundle]);
  const worker = new EdgeWorker(
    {
      ...{ name: 'edge-t', topics: new Topics(), bundles, referenceBytes: 1e6, reading: () => reading },
      inference: { provider: 'cpu', threads: 1, maxLoaded: 4, maxBytes: 1e9, batch: 8, parallel: 1 },
      queue: { depth: 8, devices: 100, bytes: 1e6, maxAgeMs: 60_000 },
      publish: (_to, text) => sent.push(parseResult(Buffer.from(text))) > 0,
    },
    silentLog,
  );
  t.teardown(() => worker.close());
  const unknown = (frame: number) => codedFrame(frame, 0, 0, { ...header(frame), bundleId: '00000000000000ff' });
  worker.handle('deepcod/cam/frame', unknown(1));
  t.match(sent, [{ error: { code: 'overloaded', message: /still reading/ } }], 'its device tries again');
  reading = false;
  worker.handle('deepcod/cam/frame', unknown(2));
  t.match(sent[1], { error: { code: 'unknown_bundle' } });
  t.same(worker.stats().drops, { starting: 1, unknown_bundle: 1 });
});

t.test('models of a bundle go after the last frame that waits for them', async (t) => {
  const sent: ResultMessage[] = [];
  const bundles = await openEdgeBundles([tinyBundle]);
  const worker = new EdgeWorker(
    {
      ...{ name: 'edge-t', topics: new Topics(), bundles, referenceBytes: 1e6 },
      inference: { provider: 'cpu', threads: 1, maxLoaded: 8, maxBytes: 1e9, batch: 1, parallel: 1 },
      queue: { depth: 8, devices: 100, bytes: 1e6, maxAgeMs: 120_000 },
      publish: (_to, text) => sent.push(parseResult(Buffer.from(text))) > 0,
    },
    silentLog,
  );
  t.teardown(() => worker.close());
  const [bundle] = bundles.values();
  await worker.warm(bundle);
  for (let frame = 1; frame <= 3; frame++) worker.handle(`deepcod/cam-${frame}/frame`, codedFrame(frame));
  bundles.delete(bundle.id);
  worker.retire(bundle);
  worker.handle('deepcod/cam/frame', codedFrame(9));
  await until(() => sent.length === 4, 'all answers');
  t.match(sent.map((answer) => ('error' in answer ? answer.error.code : 'result')).sort(), [
    'result',
    'result',
    'result',
    'unknown_bundle',
  ]);
  await until(() => worker.models === 0, 'the models to be given back');
  t.equal(worker.modelBytes, 0);
});

t.test('a start that fails leaves nothing open', async (t) => {
  const root = await tempFolder(t);
  const file = join(root, 'releases');
  await writeFile(file, 'no folder');
  const port = await freePort();
  const start = (updates: object) => startEdge(tinyConfig({ broker: { port }, updates, inference: still }), silentLog);
  await t.rejects(start({ folder: file }), { code: 'updates_folder', exitCode: 2, message: /is no folder/ });
  const edge = await start({ folder: join(root, 'not yet') });
  t.equal(new URL(edge.brokerUrl).port, String(port), 'its port is free again');
  await edge.close();
});
