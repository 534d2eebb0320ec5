import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { aedesBroker } from '../platform/brokers.js';
import { start } from '../platform/process.js';
import { fakeManager } from '../platform/systemd/fake-manager.js';
import { tinyBundle, until } from './rig.js';

const folder = mkdtempSync(join(tmpdir(), 'deepcod-service-'));
t.teardown(() => rmSync(folder, { recursive: true }));

/** agent.yaml with these settings. */
function configure(file: string, settings: object): void {
  const all = { device: 'gate', bundle: tinyBundle, camera: { fps: 20 }, threads: 1, ...settings };
  writeFileSync(file, JSON.stringify(all));
}

t.test('the service: ready, fed by frames, reloaded, stopped in time', async (t) => {
  const broker = await aedesBroker();
  await broker.start();
  const address = join(folder, 'notify');
  const manager = await fakeManager(address);
  t.teardown(manager.stop);
  const file = join(folder, 'agent.yaml');
  configure(file, { broker: { url: broker.url } });
  const env = { NOTIFY_SOCKET: address, WATCHDOG_USEC: '400000' };
  const agent = start('agent/main.js', ['--config', file], env);
  const said = (word: string) => manager.said.filter((line) => line.startsWith(word)).length;
  await until(() => said('READY') === 1 && said('WATCHDOG') > 1, 'frames of the device');

  writeFileSync(file, 'bundle: [');
  agent.child.kill('SIGHUP');
  await agent.says(/error agent: the configuration cannot be used: nothing changes/);
  configure(file, { broker: { url: broker.url }, partition: 'nowhere' });
  agent.child.kill('SIGHUP');
  await until(() => (agent.output().match(/nothing changes/g) ?? []).length === 2, 'the second refusal');
  await until(() => said('READY') === 3 && said('RELOADING') === 2, 'READY after each RELOADING');

  configure(file, { broker: { url: broker.url }, log: { level: 'debug' } });
  agent.child.kill('SIGHUP');
  await agent.says(/configuration read again changed=log\.level/);

  configure(file, { broker: { url: broker.url }, log: { level: 'debug' }, partition: 'device' });
  agent.child.kill('SIGHUP');
  await agent.says(/configuration read again changed=partition/);
  await until(() => said('READY') === 5, 'the same agent, between two frames');

  configure(file, { broker: { url: broker.url }, log: { level: 'debug' }, camera: { fps: 10 }, partition: 'device' });
  agent.child.kill('SIGHUP');
  await agent.says(/starts anew with it changed=camera\.fps/);
  await until(() => said('READY') === 6, 'the new agent');
  t.equal((agent.output().match(/agent: ready /g) ?? []).length, 2);

  configure(file, {
    broker: { url: broker.url },
    log: { level: 'debug' },
    camera: { source: 'replay', input: folder },
  });
  agent.child.kill('SIGHUP');
  await agent.says(/does not work: going back to the old one/);
  await until(() => said('READY') === 7, 'the old one again');

  const before = performance.now();
  agent.child.kill('SIGTERM');
  t.equal(await agent.ended(), 0);
  t.ok(performance.now() - before < 2000, `it took ${Math.round(performance.now() - before)} ms`);
  t.equal(said('STOPPING'), 1);
  await broker.stop();
});

t.test('it stops in time with the broker gone', async (t) => {
  const broker = await aedesBroker();
  const file = join(folder, 'away.yaml');
  configure(file, { broker: { url: broker.url }, results: { folder: join(folder, 'results') } });
  const agent = start('agent/main.js', ['--config', file]);
  await agent.says(/agent: ready/);
  const before = performance.now();
  agent.child.kill('SIGTERM');
  t.equal(await agent.ended(), 0);
  t.ok(performance.now() - before < 2000, `it took ${Math.round(performance.now() - before)} ms`);
});
