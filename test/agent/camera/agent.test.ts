import t from 'tap';
import { openCamera } from '../../../agent/camera/index.js';
import { parseHealth } from '../../../protocol/health.js';
import { testAgent, until } from '../rig.js';
import { cameraAgent, lives, NO_BROKER, standIn } from './rig.js';

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

t.test('no camera program outlives an agent that is killed', async (t) => {
  for (const ignores of [[], ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGPIPE']] as NodeJS.Signals[][]) {
    await t.test(`SIGKILL, ${ignores.join(' ') || 'nothing'} ignored`, async (t) => {
      const { env, starts } = standIn(t, { ...(ignores.length > 0 && { stallAfter: 3 }), ignores });
      const agent = cameraAgent(env);
      await agent.says(/agent\/camera: running/);
      const [{ pid }] = starts();
      t.ok(lives(pid));
      agent.child.kill('SIGKILL');
      await agent.ended();
      await until(() => !lives(pid), 'the end of the program');
    });
  }
});

t.test('wrong options end the agent with their code', async (t) => {
  const { env } = standIn(t, {});
  t.equal(await cameraAgent(env, { DEEPCOD_CAMERA_SIZE: '1x1' }).ended(), 2);
  const wrong = cameraAgent(env, { DEEPCOD_CAMERA_SIZE: '1640x1232' });
  t.equal(await wrong.ended(), 4);
  t.match(wrong.output(), /camera.size: Camera Module 3 \(imx708\) has no mode 1640x1232\nIt has 1536x864, 2304x1296/);
  t.equal(await cameraAgent(env, { DEEPCOD_CAMERA_SOURCE: 'rtsp' }).ended(), 2);
});
