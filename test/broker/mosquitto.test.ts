import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { freePort, mosquittoOn, type TestBroker, withoutMosquitto } from '../platform/brokers.js';
import { Client, testSite } from './site.js';
import { accessTable } from './table.js';

t.test('the written configuration of mosquitto', { skip: withoutMosquitto }, async (t) => {
  const site = await testSite(t);
  const out = join(site.folder, 'out');
  const port = await freePort();
  const names = ['--host', '127.0.0.1', '--operator', 'alice', '--integration', 'house', '--worker', 'edge-1'];
  await site.broker(['mosquitto', '--out', out, '--port', String(port), ...names]);
  writeFileSync(join(site.folder, 'stolen.crt'), site.stolen.certificate);
  await site.broker(['revoke', '--out', out, join(site.folder, 'stolen.crt')]);
  const config = join(out, 'mosquitto.conf');
  // as it is, but for what belongs to the machine: its user, and where it keeps things
  writeFileSync(config, readFileSync(config, 'utf8').replace('/var/lib/mosquitto/', `${out}/`));
  appendFileSync(config, 'user root\n');
  const broker: TestBroker = mosquittoOn(port, config);
  await broker.start();
  t.teardown(() => broker.stop());
  const url = `mqtts://127.0.0.1:${port}`;

  accessTable(t, site, () => url);

  t.test('TLS 1.3 alone', async (t) => {
    t.equal(await Client.connect(url, site.ca, site.yard, { maxVersion: 'TLSv1.2' } as object), undefined);
  });

  t.test('workers share frames out, as the access list allows', async (t) => {
    const worker = (await Client.connect(url, site.ca, site.worker, { protocolVersion: 5 })) as Client;
    const yard = (await Client.connect(url, site.ca, site.yard, { protocolVersion: 5 })) as Client;
    t.same(await worker.ask('$share/edge/deepcod/+/frame'), [true]);
    yard.say('deepcod/yard/frame', 'shared');
    await worker.hears('shared');
    await yard.ask('$share/spies/deepcod/+/frame');
    for (let i = 0; i < 5; i++) yard.say('deepcod/yard/frame', `again ${i}`);
    for (let i = 0; i < 5; i++) await worker.hears(`again ${i}`);
    t.same(yard.texts, [], 'a device shares nothing of others');
    await yard.close();
    await worker.close();
  });

  t.test('a certificate that was revoked is out after a restart', async (t) => {
    writeFileSync(join(site.folder, 'street.crt'), site.street.certificate);
    await site.broker(['revoke', '--out', out, join(site.folder, 'street.crt')]);
    await broker.stop();
    await broker.start();
    t.equal(await Client.connect(url, site.ca, site.street), undefined);
    const yard = await Client.connect(url, site.ca, site.yard);
    t.ok(yard, 'others come back');
    await yard?.close();
  });
});
