import { join } from 'node:path';
import t from 'tap';
import type { Camera, OpenCamera } from '../../agent/camera/camera.js';
import { loadAgentConfig } from '../../agent/config/config.js';
import { AgentService } from '../../agent/service.js';
import { openBundle } from '../../platform/bundle.js';
import { createLog } from '../../platform/log.js';
import { silentNotifier } from '../../platform/systemd/notify.js';
import { makeBundle } from '../update/world.js';
import { noiseCamera, testAgent, tinyBundle, until } from './rig.js';

/** Nobody listens there: the service runs here. */
const NO_BROKER = 'mqtt://127.0.0.1:9';

/** A camera that is there and never gives a picture. @param opened gets the frame rate of each that was opened */
const absentCamera =
  (opened: (number | undefined)[]): OpenCamera =>
  async ({ fps }): Promise<Camera> => {
    opened.push(fps);
    return {
      description: 'absent',
      next: (signal) =>
        new Promise((_, reject) => {
          signal.throwIfAborted();
          signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        }),
      async close() {},
    };
  };

t.test('a camera that gives nothing holds up neither a change nor the end', async (t) => {
  const opened: (number | undefined)[] = [];
  const running = await testAgent(NO_BROKER, { camera: { fps: 5 } }, { openCamera: absentCamera(opened) });
  const { agent } = running;
  await until(() => opened.length === 1, 'the camera');
  await agent.change({ ...agent.config, camera: { ...agent.config.camera, fps: 3 } }, undefined);
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
