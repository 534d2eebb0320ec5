import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { type EmbeddedBroker, startBroker } from '../../edge/broker.js';
import { loadEdgeConfig } from '../../edge/config.js';
import { recordedLog, tinyBundle, until } from '../edge/harness.js';
import { Client, testSite } from './site.js';
import { accessTable } from './table.js';

const site = await testSite(t);
const out = join(site.folder, 'out');
await site.broker(['embedded', '--out', out, '--host', '127.0.0.1', '--operator', 'alice', '--integration', 'house']);
const stolen = join(site.folder, 'stolen.crt');
const { writeFileSync } = await import('node:fs');
writeFileSync(stolen, site.stolen.certificate);
await site.broker(['revoke', '--out', out, stolen]);

/** As the written configuration has it, but for the address. */
const { broker: written } = parse(readFileSync(join(out, 'broker.yaml'), 'utf8')) as {
  broker: Record<string, unknown>;
};
const config = loadEdgeConfig({
  overrides: { bundles: [tinyBundle], broker: { ...written, host: '127.0.0.1', port: 0 } },
});
const { log, said } = recordedLog();
const broker: EmbeddedBroker = await startBroker(config.broker, log);
t.teardown(() => broker.close());

accessTable(t, site, () => broker.url);

t.test('it counts what it refused', async (t) => {
  const counters = broker.counters();
  t.ok(counters.handshakes_failed >= 4);
  t.equal(counters.revoked, 1);
  t.equal(counters.too_large, 1);
  t.ok(counters.forbidden_publish > 20);
  t.ok(counters.forbidden_subscribe >= 10);
  t.ok(counters.logins_refused >= 2, 'the last will on another topic, and the other user name');
  t.ok(said(/stolen: its certificate was revoked/));
});

t.test(
  "the edge's own messages reach an integration under another discovery prefix, and the list says so",
  async (t) => {
    const other = await startBroker({ ...config.broker, port: 0, discovery: 'ha/site' }, log);
    t.teardown(() => other.close());
    const house = (await Client.connect(other.url, site.ca, site.house)) as Client;
    const own = await Client.connect(other.own.url, '', undefined, { username: 'edge', password: other.own.password });
    t.same(await house.ask('ha/site/#', 'homeassistant/#'), [true, false]);
    own?.say('ha/site/device/x/config', 'announced', { retain: true });
    await house.hears('announced');
    await own?.close();
    await house.close();
    const there = join(site.folder, 'there');
    const names = ['--integration', 'house', '--discovery', 'ha/site'];
    await site.broker(['embedded', '--out', there, '--host', '127.0.0.1', ...names]);
    const { broker: lines, home_assistant } = parse(readFileSync(join(there, 'broker.yaml'), 'utf8'));
    t.match({ lines, home_assistant }, { lines: { integrations: ['house'] }, home_assistant: { prefix: 'ha/site' } });
    for (const [kind, file] of [
      ['mosquitto', 'acl'],
      ['emqx', 'acl.conf'],
    ]) {
      await site.broker([kind, '--out', join(site.folder, kind), '--host', '127.0.0.1', ...names]);
      const list = readFileSync(join(site.folder, kind, file), 'utf8');
      t.match(list, 'ha/site/status');
      t.notMatch(list, /homeassistant|\+\/command\/#/, 'nothing of the other prefix, and no other command');
    }
  },
);

t.test("another device's client id takes nobody's place", async (t) => {
  const street = (await Client.connect(broker.url, site.ca, site.street, { clientId: 'deepcod-street' })) as Client;
  const yard = (await Client.connect(broker.url, site.ca, site.yard, { clientId: 'deepcod-street' })) as Client;
  await street.ask('deepcod/street/ping');
  street.say('deepcod/street/ping', 'still here');
  await street.hears('still here');
  t.ok(yard.mqtt.connected);
  await street.close();
  await yard.close();
});

t.test('a device keeps its states at the broker, and nothing else', async (t) => {
  const yard = (await Client.connect(broker.url, site.ca, site.yard)) as Client;
  yard.say('deepcod/yard/status', 'kept', { retain: true, qos: 1 });
  yard.say('deepcod/yard/result', 'not kept', { retain: true, qos: 1 });
  yard.say('deepcod/yard/health', Buffer.alloc(300_000, 'h'), { retain: true, qos: 1 });
  await yard.mqtt.publishAsync('deepcod/yard/ping', 'x', { qos: 1 });
  await yard.close();
  const worker = (await Client.connect(broker.url, site.ca, site.worker)) as Client;
  await worker.ask('deepcod/yard/#');
  await worker.hears('kept');
  worker.say('deepcod/yard/result', 'the end');
  await worker.hears('the end');
  t.same(
    worker.texts.filter((text) => text !== 'good will'),
    ['kept', 'the end'],
    'not a result, and nothing large',
  );
  await worker.close();
});

t.test('subscriptions are limited', async (t) => {
  const yard = (await Client.connect(broker.url, site.ca, site.yard)) as Client;
  const granted = await yard.ask(...Array.from({ length: 40 }, (_, i) => `deepcod/yard/command/${i}`));
  t.equal(granted.filter(Boolean).length, 32);
  const house = (await Client.connect(broker.url, site.ca, site.house)) as Client;
  const all = await house.ask(...Array.from({ length: 300 }, (_, i) => `deepcod/cam-${i}/ha`));
  t.ok(all.every(Boolean), 'an integration needs some for each camera');
  await house.close();
  await yard.mqtt.unsubscribeAsync('deepcod/yard/command/1');
  t.same(await yard.ask('deepcod/yard/command/new'), [true], 'one less makes room for another');
  await yard.close();
});

t.test(
  'a certificate that is revoked ends its connections, and files that cannot be used change nothing',
  async (t) => {
    const street = (await Client.connect(broker.url, site.ca, site.street)) as Client;
    const yard = (await Client.connect(broker.url, site.ca, site.yard)) as Client;
    const good = readFileSync(join(out, 'ca.crl'));
    writeFileSync(join(out, 'ca.crl'), 'nonsense');
    await until(() => said(/certificates stay as they were/), 'the broker to tell of the damaged list');
    t.ok(street.mqtt.connected);
    writeFileSync(join(out, 'ca.crl'), good);
    writeFileSync(join(site.folder, 'street.crt'), site.street.certificate);
    await site.broker(['revoke', '--out', out, join(site.folder, 'street.crt')]);
    await street.gone();
    t.ok(yard.mqtt.connected, 'others go on');
    t.equal(await Client.connect(broker.url, site.ca, site.street), undefined);
    t.equal(await Client.connect(broker.url, site.ca, site.stolen), undefined, 'what was revoked before stays so');
    await yard.close();
  },
);
