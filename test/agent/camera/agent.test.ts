import t from 'tap';
import { openCamera } from '../../../agent/camera/index.js';
import { parseHealth } from '../../../protocol/health.js';
import { start } from '../../platform/process.js';
import { testAgent, tinyBundle, until } from '../rig.js';
import { lives, standIn } from './rig.js';

/** Nobody listens there: the service runs here. */
const NO_BROKER = 'mqtt://127.0.0.1:9';

t.test('the agent goes on while its camera is absent, stalled, and back', async (t) => {
  const { behave } = standIn(t, { list: 'none' });
  const running = await testAgent(NO_BROKER, { camera: { source: 'rpicam', fps: 10 } }, { openCamera });
  const { agent, trips, events } = running;
  t.teardown(() => running.stop());
  const state = () => agent.health().camera?.state;
  await until(() => state() === 'gone', 'gone');
  behave({});
  await until(() => trips.length >= 3, 'frames');
  t.match(trips[2], { outcome: 'local', picture: { width: 32, height: 18, sourceWidth: 2304 } });
  t.equal(state(), 'running');
  behave({ stallAfter: 0 });
  await until(() => state() === 'stalled', 'stalled');
  const health = parseHealth(Buffer.from(JSON.stringify(agent.health())));
  t.match(health.camera, { state: 'stalled', message: /sends no pictures/, description: /imx708/, restarts: Number });
  const before = trips.length;
  behave({});
  await until(() => trips.length > before + 1, 'frames again');
  const said = events.filter(({ name }) => name === 'agent/camera').map(({ level, fields }) => fields.state ?? level);
  t.same(said, ['gone', 'info', 'stalled', 'info'], 'each change is logged once');
  const begin = performance.now();
  await running.stop();
  t.ok(performance.now() - begin < 2000);
});

const program = (env: NodeJS.ProcessEnv, more: Record<string, string> = {}) =>
  start('agent/main.js', [], {
    ...(env as Record<string, string>),
    ...{ DEEPCOD_BUNDLE: tinyBundle, DEEPCOD_BROKER_URL: NO_BROKER, DEEPCOD_CAMERA_SOURCE: 'rpicam' },
    ...{ DEEPCOD_CAMERA_FPS: '10', DEEPCOD_THREADS: '1', ...more },
  });

t.test('no camera program outlives the agent, whatever ends it', async (t) => {
  for (const [signal, behaviour] of [
    ['SIGKILL', {}],
    ['SIGKILL', { stallAfter: 3, ignores: ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGPIPE'] }],
    ['SIGTERM', { stallAfter: 3, ignores: ['SIGINT', 'SIGTERM'] }],
  ] as const) {
    await t.test(`${signal} ${JSON.stringify(behaviour)}`, async (t) => {
      const { env, starts } = standIn(t, {
        ...behaviour,
        ignores: [...('ignores' in behaviour ? behaviour.ignores : [])],
      });
      const agent = program(env);
      await agent.says(/agent\/camera: running/);
      const [{ pid }] = starts();
      t.ok(lives(pid));
      const begin = performance.now();
      agent.child.kill(signal);
      await agent.ended();
      while (lives(pid) && performance.now() - begin < 5000) await new Promise((resolve) => setTimeout(resolve, 10));
      t.notOk(lives(pid), `gone ${Math.round(performance.now() - begin)} ms after ${signal}`);
    });
  }
});

t.test('wrong options end the agent with their code', async (t) => {
  const { env } = standIn(t, {});
  t.equal(await program(env, { DEEPCOD_CAMERA_SIZE: '1x1' }).ended(), 2);
  const wrong = program(env, { DEEPCOD_CAMERA_SIZE: '1640x1232' });
  t.equal(await wrong.ended(), 4);
  t.match(wrong.output(), /camera.size: Camera Module 3 \(imx708\) has no mode 1640x1232\nIt has 1536x864, 2304x1296/);
  t.equal(await program(env, { DEEPCOD_CAMERA_SOURCE: 'rtsp' }).ended(), 2);
});
