import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { createLog, type LogEvent, silentLog } from '../../../platform/log.js';
import { openNotifier, socketAddress } from '../../../platform/systemd/notify.js';
import { until } from '../../agent/rig.js';
import { fakeManager } from './fake-manager.js';

/** Addresses hold 107 bytes: no folder of tap's. */
const folder = mkdtempSync(join(tmpdir(), 'deepcod-notify-'));
t.teardown(() => rmSync(folder, { recursive: true }));

for (const kind of ['a path', 'an abstract name']) {
  t.test(`everything that a manager is told, at ${kind}`, async (t) => {
    const address = kind === 'a path' ? join(folder, 'notify') : `@deepcod-test-${process.pid}`;
    const manager = await fakeManager(address);
    t.teardown(manager.stop);
    const env = { NOTIFY_SOCKET: address, WATCHDOG_USEC: '30000000', WATCHDOG_PID: `${process.pid}`, OTHER: '1' };
    const notifier = openNotifier(silentLog, env);
    t.same(env, { OTHER: '1' }, 'children do not hear of it');
    t.equal(notifier.watchdogMs, 30_000);
    const before = process.hrtime.bigint() / 1000n;
    notifier.ready();
    notifier.status('two\nlines');
    notifier.reloading();
    notifier.watchdog();
    notifier.stopping();
    await until(() => manager.said.length === 5, 'five messages');
    t.match(manager.said, [
      'READY=1',
      'STATUS=two lines',
      /^RELOADING=1\|MONOTONIC_USEC=\d+$/,
      'WATCHDOG=1',
      'STOPPING=1',
    ]);
    const usec = BigInt(manager.said[2].split('=')[2]);
    t.ok(usec >= before && usec < before + 60_000_000n, 'on the monotonic clock');
  });
}

t.test('without a manager, or with one that is gone, nothing happens and nothing throws', async (t) => {
  t.equal(openNotifier(silentLog, {}).active, false);
  const events: LogEvent[] = [];
  const log = createLog('test', 'info', { write: (_, event) => events.push(event) });
  t.equal(openNotifier(log, { NOTIFY_SOCKET: 'relative' }).active, false);
  t.match(events.pop(), { level: 'warn', message: /cannot be told anything/ });
  const gone = openNotifier(log, { NOTIFY_SOCKET: join(folder, 'nobody'), WATCHDOG_USEC: '1000' });
  for (let i = 0; i < 1000; i++) gone.watchdog();
  t.equal(events.length, 1, 'said once');
  t.match(events[0].fields, { what: 'WATCHDOG', error: 'ENOENT' });
});

t.test('a manager that does not read costs messages, not frames', async (t) => {
  const address = join(folder, 'stopped');
  const manager = await fakeManager(address);
  t.teardown(manager.stop);
  manager.child.kill('SIGSTOP');
  const events: LogEvent[] = [];
  const notifier = openNotifier(createLog('test', 'info', { write: (_, event) => events.push(event) }), {
    NOTIFY_SOCKET: address,
  });
  const start = performance.now();
  for (let i = 0; i < 5000; i++) notifier.watchdog();
  t.ok(performance.now() - start < 2000, 'it never blocks');
  t.match(events, [{ fields: { error: 'EAGAIN' } }]);
});

t.test('who is watched, and what an address may be', async (t) => {
  const address = join(folder, 'x');
  const watched = (more: object) => openNotifier(silentLog, { NOTIFY_SOCKET: address, ...more }).watchdogMs;
  t.equal(watched({}), undefined);
  t.equal(watched({ WATCHDOG_USEC: '500000' }), 500);
  t.equal(watched({ WATCHDOG_USEC: '500000', WATCHDOG_PID: '1' }), undefined, 'another process is');
  t.equal(watched({ WATCHDOG_USEC: 'x' }), undefined);
  t.same([...socketAddress('/a')], [1, 0, 47, 97, 0]);
  t.same([...socketAddress('@a')], [1, 0, 0, 97]);
  t.throws(() => socketAddress('a'));
  t.throws(() => socketAddress(`/${'a'.repeat(107)}`));
});
