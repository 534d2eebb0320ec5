import t, { type Test } from 'tap';
import type { AgentConfig } from '../../agent/config/config.js';
import { AgentService } from '../../agent/service.js';
import { createLog } from '../../platform/log.js';
import { silentNotifier } from '../../platform/systemd/notify.js';
import { absentCamera, testConfig, until } from './rig.js';

/** Nobody listens there: the service runs here. */
const NO_BROKER = 'mqtt://127.0.0.1:9';

/** A service that tells what the manager hears and which cameras were opened; each waits for its `let`. */
function gatedService(t: Test) {
  const said: string[] = [];
  const opened: (number | undefined)[] = [];
  const gates: (() => void)[] = [];
  let reread = (): AgentConfig => serviceConfig({});
  const service = new AgentService(serviceConfig({}), {
    log: createLog('agent', 'silent', { write: () => {} }),
    manager: {
      ...silentNotifier,
      ready: () => said.push('ready'),
      reloading: () => said.push('reloading'),
      stopping: () => said.push('stopping'),
    },
    openCamera: async (options, fit) => {
      const camera = await absentCamera(opened)(options, fit);
      await new Promise<void>((resolve) => gates.push(resolve));
      return camera;
    },
    reread: () => reread(),
  });
  const done = service.run();
  t.teardown(async () => {
    service.stop();
    for (const open of gates.splice(0)) open();
    await done;
  });
  return {
    said,
    opened,
    service,
    /** Settings that are read from now on; undefined: a file that cannot be used. */
    rereads(settings: object | undefined) {
      reread = () => {
        if (!settings) throw new Error('no YAML');
        return serviceConfig(settings);
      };
    },
    /** The camera that is being opened is there. */
    async letOpen() {
      await until(() => gates.length > 0, 'a camera that is being opened');
      gates.shift()?.();
    },
  };
}

const serviceConfig = (settings: object) =>
  testConfig(NO_BROKER, { camera: { fps: 5 }, partition: 'input', ...settings });

t.test('READY is said when the agent works, whatever comes while it starts', async (t) => {
  const { said, opened, service, rereads, letOpen } = gatedService(t);
  await until(() => opened.length === 1, 'the camera');
  rereads(undefined);
  await service.reload();
  t.same(said, [], 'a file that cannot be used');
  rereads({});
  await service.reload();
  t.same(said, [], 'nothing has changed');
  rereads({ in_flight: 1 });
  const live = service.reload();
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.same(said, [], 'what will be changed between two frames');
  await letOpen();
  await live;
  t.same(said, ['ready']);
  t.equal(opened.length, 1, 'by the same agent');

  rereads({ timeout_ms: 900 });
  await service.reload();
  t.same(said, ['ready', 'reloading', 'ready']);
  t.equal(opened.length, 1);
});

t.test('an agent that is stopped for another says no READY', async (t) => {
  const { said, opened, service, rereads, letOpen } = gatedService(t);
  await until(() => opened.length === 1, 'the camera');
  rereads({ camera: { fps: 7 } });
  await service.reload();
  await letOpen();
  await until(() => opened.length === 2, 'the next agent');
  t.same(said, [], 'the first one was never asked to work');
  rereads(undefined);
  await service.reload();
  t.same(said, []);
  await letOpen();
  await until(() => said.length === 1, 'READY');

  rereads({ camera: { fps: 9 } });
  await service.reload();
  await until(() => opened.length === 3, 'a third');
  rereads(undefined);
  await service.reload();
  t.same(said, ['ready', 'reloading'], 'not before the third works');
  await letOpen();
  await until(() => said.length === 3, 'READY again');
  t.same(said, ['ready', 'reloading', 'ready']);
  t.same(opened, [5, 7, 9]);
});

t.test('an agent that is stopped while it waits for the broker says no READY', async (t) => {
  const { said, opened, service, rereads, letOpen } = gatedService(t);
  await letOpen();
  // It waits for seconds for a broker that never comes.
  rereads({ camera: { fps: 7 } });
  await service.reload();
  await until(() => opened.length === 2, 'the next agent');
  t.same(said, []);
});
