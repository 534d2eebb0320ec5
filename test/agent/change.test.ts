import { join } from 'node:path';
import t from 'tap';
import type { OpenCamera } from '../../agent/camera/camera.js';
import { loadAgentConfig } from '../../agent/config/config.js';
import { AgentLink } from '../../agent/pipeline/link.js';
import { AgentService } from '../../agent/service.js';
import { realDisk } from '../../agent/update/disk.js';
import { accept, emptyState, writeState } from '../../agent/update/state.js';
import { openBundle } from '../../platform/bundle.js';
import { createLog, silentLog } from '../../platform/log.js';
import type { PublishOptions } from '../../platform/mqtt.js';
import { silentNotifier } from '../../platform/systemd/notify.js';
import { makeBundle, newKey } from '../update/world.js';
import { absentCamera, noiseCamera, testAgent, testConfig, tinyBundle, until } from './rig.js';

/** Nobody listens there: the service runs here. */
const NO_BROKER = 'mqtt://127.0.0.1:9';

t.test('a camera that gives nothing holds up neither a change nor the end', async (t) => {
  const opened: (number | undefined)[] = [];
  const running = await testAgent(NO_BROKER, { camera: { fps: 5 } }, { openCamera: absentCamera(opened) });
  const { agent } = running;
  await until(() => opened.length === 1, 'the camera');
  await agent.change(() => ({ ...agent.config, camera: { ...agent.config.camera, fps: 3 } }), undefined);
  await until(() => opened.length === 2, 'the camera again');
  t.same(opened, [5, 3]);
  const begin = performance.now();
  await running.stop();
  t.ok(performance.now() - begin < 2000);
});

t.test('settings that change while a bundle does leave the new bundle', async (t) => {
  const folder = join(t.testdir({}), 'second');
  const id = await makeBundle(folder, { threshold: 0.4 });
  const running = await testAgent(NO_BROKER, {}, { openCamera: noiseCamera(undefined, 20) });
  const { agent } = running;
  await until(() => running.trips.length > 0, 'a frame');
  const bundle = agent.change(undefined, await openBundle(folder));
  await agent.applyConfig({ ...agent.config, in_flight: 1 });
  await bundle;
  t.equal(agent.bundle.id, id);
  t.equal(agent.config.in_flight, 1);
  await running.stop();
});

t.test('a configuration that is read again while the agent is being opened holds', async (t) => {
  const config = (fps: number) =>
    loadAgentConfig({
      overrides: { device: 'yard', bundle: tinyBundle, broker: { url: NO_BROKER }, camera: { fps }, threads: 1 },
    });
  const opened: (number | undefined)[] = [];
  // Its level is changed: one of its own.
  const log = createLog('agent', 'silent', { write: () => {} });
  const parts = { log, manager: silentNotifier, openCamera: absentCamera(opened) };
  const service = new AgentService(config(5), { ...parts, reread: () => config(7) });
  const done = service.run();
  await service.reload();
  await until(() => opened.includes(7), 'the new configuration');
  service.stop();
  await done;
  t.equal(opened.at(-1), 7);
});

t.test('a camera is changed without the broker, also where nothing else runs without it', async (t) => {
  for (const fps of [0, 5]) {
    const opened: (number | undefined)[] = [];
    let offered = 0;
    // One picture each, which waits for the broker to come.
    const openCamera: OpenCamera = async (options, fit) => {
      opened.push(options.fps);
      const [one, absent] = await Promise.all([noiseCamera()(options, fit), absentCamera([])(options, fit)]);
      let given = false;
      return {
        ...absent,
        next: (signal) => {
          offered += Number(given);
          if (given) return absent.next(signal);
          given = true;
          return one.next(signal);
        },
      };
    };
    const running = await testAgent(
      NO_BROKER,
      { camera: { fps }, fallback: false, partition: 'input' },
      { openCamera },
    );
    const { agent } = running;
    // With fps 0 a picture is taken only when it could start.
    await until(() => (fps === 0 ? opened.length === 1 : offered === 1), 'a picture that waits');
    await agent.change(() => ({ ...agent.config, camera: { ...agent.config.camera, fps: 3 } }), undefined);
    await until(() => opened.length === 2, 'the camera again');
    t.same(opened, [fps, 3]);
    t.equal(agent.drops().superseded ?? 0, fps === 0 ? 0 : 1, 'the picture that waited');
    const begin = performance.now();
    await running.stop();
    t.ok(performance.now() - begin < 5000);
  }
});

t.test('timeout_ms holds from the next frame on', async (t) => {
  const openCamera: OpenCamera = async (options, fit) => {
    const one = await noiseCamera(1)(options, fit);
    const absent = await absentCamera([])(options, fit);
    return { ...absent, next: async (signal) => (await one.next(signal)) ?? absent.next(signal) };
  };
  const settings = { camera: { fps: 5 }, fallback: false, partition: 'input', timeout_ms: 60_000 };
  const running = await testAgent(NO_BROKER, settings, { openCamera });
  const { agent } = running;
  const waiting = () => agent.health().drops;
  t.same(waiting(), {});
  // It was ready before; its one picture waits for the broker.
  await agent.applyConfig({ ...agent.config, in_flight: 1 });
  await new Promise((resolve) => setTimeout(resolve, 60));
  await agent.applyConfig({ ...agent.config, timeout_ms: 50, fallback: true });
  await until(() => agent.drops().late === 1 || running.trips.length > 0, 'what becomes of the picture');
  t.equal(agent.drops().late, 1, 'it has waited for more than 50 ms');
  await running.stop();
});

t.test('a message tells the time-out that holds now', async (t) => {
  const never = () => {};
  let config = testConfig(NO_BROKER, { timeout_ms: 5000 });
  const link = new AgentLink(
    () => config,
    () => ({ online: true }),
    { result: never, edge: never, partition: never, pong: never, up: never, down: never, explain: never },
    silentLog,
  );
  const published: PublishOptions[] = [];
  Object.defineProperty(link.broker, 'publish', {
    value: (_topic: string, _payload: unknown, options: PublishOptions) => published.push(options) > 0,
  });
  link.publishFrame(new Uint8Array(1));
  config = { ...config, timeout_ms: 1500 };
  link.publishFrame(new Uint8Array(1));
  t.match(published, [
    { expirySeconds: 5, userProperties: { timeout_ms: '5000' } },
    { expirySeconds: 2, userProperties: { timeout_ms: '1500' } },
  ]);
  await link.close(100);
});

t.test('what was measured holds over a change of settings', async (t) => {
  const running = await testAgent(NO_BROKER, { partition: 'auto' }, { openCamera: noiseCamera(undefined, 20) });
  const { agent, trips, events } = running;
  await until(() => trips.length > 2, 'frames');
  await agent.applyConfig({ ...agent.config, timeout_ms: 700 });
  const measured = events.filter(({ message }) => /measured this device|times of this device/.test(message));
  t.same(
    measured.map(({ message }) => message),
    ['measured this device', 'times of this device are known'],
  );
  t.same(measured[1].fields, measured[0].fields);
  await running.stop();
});

t.test('settings that cannot be used are not gone back to', async (t) => {
  const dir = t.testdir({ update: {} });
  newKey(join(dir, 'keys'));
  const update = { keys: join(dir, 'keys'), folder: join(dir, 'update') };
  const state = emptyState();
  accept(state.config, {
    sequence: 1,
    digest: 'a'.repeat(64),
    created: '2026-01-01T00:00:00.000Z',
    config: { in_flight: 3 },
  });
  await writeState(realDisk, update.folder, state);
  let isSpoilt = false;
  const noise = noiseCamera(undefined, 20);
  const openCamera: OpenCamera = async (options, fit) => {
    const camera = await noise(options, fit);
    return {
      ...camera,
      async next(signal) {
        const picture = await camera.next(signal);
        return picture && isSpoilt ? { ...picture, data: picture.data.subarray(1) } : picture;
      },
    };
  };
  const { agent, trips, stop } = await testAgent(
    NO_BROKER,
    { partition: 'device', in_flight: 1, update },
    { openCamera },
  );
  const { config: base } = agent;
  t.equal(base.in_flight, 3, 'as the release says');
  await until(() => trips.length > 0, 'a frame');
  await t.rejects(agent.applyConfig({ ...base, in_flight: 2, partition: 'nowhere' }));
  await agent.applyConfig({ ...base, in_flight: 2, timeout_ms: 700 });
  t.match(agent.config, { in_flight: 3, timeout_ms: 700 });
  await t.rejects(agent.applyConfig({ ...base, in_flight: 4, partition: 'nowhere' }));
  isSpoilt = true;
  await until(() => agent.config.in_flight === 2, 'back to what agent.yaml said last and could be used');
  t.equal(agent.config.partition, 'device');
  await stop();
});
