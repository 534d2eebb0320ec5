import { join } from 'node:path';
import t from 'tap';
import { bundleRelease, configRelease } from '../../scripts/commands/update/make-release.js';
import { putRelease } from '../../scripts/commands/update/put.js';
import { noiseCamera, testAgent, testEdge, until } from '../agent/rig.js';
import { mosquittoBroker, withoutMosquitto } from '../platform/brokers.js';
import { run } from '../platform/process.js';
import { makeBundle, newKey, tempFolder, terms } from './world.js';

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
    const args = ['update', 'status', 'yard', '--broker', url, '--json', '--watch', '--sequence', '1'];
    const status = await run('scripts/deepcod.js', args);
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
