import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { loadAgentConfig } from '../../agent/config/config.js';
import { selfTest } from '../../agent/update/self-test.js';
import { bundleRelease, configRelease } from '../../scripts/commands/update/make-release.js';
import { putRelease } from '../../scripts/commands/update/put.js';
import { noiseCamera, testAgent, testEdge, until } from '../agent/rig.js';
import { mosquittoBroker, withoutMosquitto } from '../platform/brokers.js';
import { run } from '../platform/process.js';
import { makeBundle, newKey, tempFolder, terms, tinyBundle } from './world.js';

const cli = (...args: string[]) => run('scripts/deepcod.js', args);

for (const name of ['embedded broker', 'mosquitto']) {
  const skip = name === 'mosquitto' && withoutMosquitto;
  t.test(`10 frames a second from one bundle to another, none lost (${name})`, { skip }, async (t) => {
    const root = await tempFolder(t);
    const key = newKey(join(root, 'keys'));
    const shelf = join(root, 'releases');
    const broker = name === 'mosquitto' ? await mosquittoBroker() : undefined;
    await broker?.start();
    const edge = await testEdge(broker ? { url: broker.url } : { host: '127.0.0.1', port: 0 }, {
      updates: { folder: shelf },
      status_interval_s: 0.5,
      queue: { max_age_ms: 30_000, depth: 64 },
    });
    const url = broker?.url ?? edge.brokerUrl;
    const update = { keys: join(root, 'keys'), folder: join(root, 'update'), kbps: 20_000 };
    const { agent, trips, stop } = await testAgent(
      url,
      { partition: 'input', timeout_ms: 30_000, in_flight: 8, update },
      { openCamera: noiseCamera(undefined, 100) },
    );
    const old = agent.bundle.id;
    await until(() => trips.length > 25, 'frames');

    const next = await makeBundle(join(root, 'next'), { threshold: 0.31, weights: 300_000 });
    await putRelease(shelf, await bundleRelease(join(root, 'next'), terms(1), key), join(root, 'next'));
    const state = () => agent.health().update;
    await until(() => state()?.state === 'probation', 'the new bundle to run');
    t.equal(agent.bundle.id, next);
    t.ok(edge.bundles.has(old) && edge.bundles.has(next), 'the edge serves both');
    await until(() => state()?.state === 'kept', 'it to be kept');
    const status = await cli('update', 'status', 'yard', '--broker', url, '--json', '--watch', '--sequence', '1');
    t.equal(status.code, 0, status.output);
    t.match(JSON.parse(status.output), {
      state: 'kept',
      running: next,
      release: { sequence: 1 },
      sequences: { bundle: 1 },
    });

    await putRelease(
      shelf,
      configRelease({ timeout_ms: 20_000, health: { interval_s: 0.3 } }, terms(1), key),
      undefined,
    );
    await until(() => agent.config.timeout_ms === 20_000 && state()?.state === 'kept', 'the settings to be kept');
    t.match(state(), { release: { kind: 'config', sequence: 1 } });
    await stop();
    t.equal(agent.stats.lost, 0, JSON.stringify(agent.drops()));
    t.ok(
      trips.every(({ outcome }) => outcome === 'result'),
      `all ${trips.length} frames were answered by the edge`,
    );
    t.same(
      trips.map(({ frame }) => frame).sort((a, b) => a - b),
      trips.map((_, i) => i),
      'and none is missing',
    );
    await edge.close();
    await broker?.stop();
  });
}

t.test('the edge and the broker go away in the middle of a fetch, and come back', async (t) => {
  const root = await tempFolder(t);
  const key = newKey(join(root, 'keys'));
  const shelf = join(root, 'releases');
  const next = await makeBundle(join(root, 'next'), { threshold: 0.31, weights: 400_000 });
  await putRelease(shelf, await bundleRelease(join(root, 'next'), terms(1), key), join(root, 'next'));
  let edge = await testEdge(undefined, { updates: { folder: shelf }, status_interval_s: 0.5 });
  const { port } = new URL(edge.brokerUrl);
  const update = { keys: join(root, 'keys'), folder: join(root, 'update'), kbps: 1500 };
  const settings = { partition: 'input', update };
  const { agent, stop, trips } = await testAgent(edge.brokerUrl, settings, { openCamera: noiseCamera(undefined, 100) });
  const state = () => agent.health().update;
  await until(() => (state()?.progress?.bytes ?? 0) > 50_000, 'a part of the release');
  await edge.close();
  await until(() => state()?.state === 'waiting', 'the fetch to wait');
  edge = await testEdge(
    { host: '127.0.0.1', port: Number(port) },
    { updates: { folder: shelf }, status_interval_s: 0.5 },
  );
  await until(() => agent.bundle.id === next, 'the new bundle');
  const then = trips.length;
  await until(() => trips.slice(then).filter(({ outcome }) => outcome === 'result').length > 5, 'results with it');
  await stop();
  await edge.close();
});

t.test('the self-test, in its own process', async (t) => {
  const root = await tempFolder(t);
  const config = loadAgentConfig({ overrides: { bundle: tinyBundle, threads: 1 } });
  const { signal } = new AbortController();
  await t.resolves(selfTest(tinyBundle, config, signal));
  const bad = join(root, 'bad');
  await makeBundle(bad, { replace: { 'heads/input.onnx': Buffer.from('no model') } });
  await t.rejects(selfTest(bad, config, signal), { code: 'self_test', message: /heads\/input\.onnx/ });
  const shape = join(root, 'shape');
  await makeBundle(shape, {
    manifest: ({ partitions }) => {
      partitions[0].code.height = 4;
    },
  });
  await t.rejects(selfTest(shape, config, signal), { code: 'self_test' });
  const service = join(root, 'service');
  await makeBundle(service, { replace: { 'service.onnx': Buffer.from('no model') } });
  await t.rejects(selfTest(service, config, signal), { code: 'self_test', message: /service\.onnx/ });
  const relying = loadAgentConfig({ overrides: { bundle: tinyBundle, partition: 'input', fallback: false } });
  await t.resolves(selfTest(service, relying, signal), 'a device that never runs alone does not need it');
  process.env.NODE_OPTIONS = '--max-old-space-size=1';
  t.teardown(() => delete process.env.NODE_OPTIONS);
  await t.rejects(
    selfTest(tinyBundle, config, signal),
    { code: 'self_test', message: /SIG/ },
    'one that takes its process down',
  );
});

t.test('deepcod key, publish, update', async (t) => {
  const root = await tempFolder(t);
  const made = await cli('key', 'create', 'site', '--out', root);
  t.equal(made.code, 0, made.output);
  const id = /key ([0-9a-f]{16})/.exec(made.output)?.[1];
  for (const file of ['site.key.pem', 'site.pub.pem']) {
    t.match(await cli('key', 'show', join(root, file)), { code: 0, output: `${id}\n` });
  }
  t.match(await cli('key', 'create', 'site', '--out', root), { code: 2, output: /there already/ });
  const key = ['--key', join(root, 'site.key.pem')];
  const signed = join(root, 'offline.json');
  t.match(await cli('publish', tinyBundle, ...key, '--to', 'yard', '--out', signed, '--sequence', '5'), { code: 0 });
  const put = await cli('publish', tinyBundle, '--signed', signed, '--into', join(root, 'shelf'));
  t.match(put, { code: 0, output: /release 5 of bundle tiny/ });
  const fps = join(root, 'fps.yaml');
  await writeFile(fps, 'camera:\n  fps: 2\n');
  t.match(await cli('publish', '--settings', fps, ...key, '--to', 'all', '--into', join(root, 'shelf')), { code: 0 });
  await writeFile(fps, 'broker:\n  url: mqtt://evil\n');
  const evil = await cli('publish', '--settings', fps, ...key, '--to', 'all', '--into', join(root, 'shelf'));
  t.match(evil, { code: 2, output: /broker\.url cannot be changed/ });
  t.match(await cli('publish', tinyBundle, ...key, '--into', root), { code: 2, output: /--to/ });
  t.match(await cli('publish', root, ...key, '--to', 'all', '--into', root), { code: 3 });
});
