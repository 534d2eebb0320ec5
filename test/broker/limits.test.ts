import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { network } from '../../edge/address.js';
import { Addresses } from '../../edge/broker/addresses.js';
import { Bucket } from '../../edge/broker/bucket.js';
import { covers } from '../../edge/broker/grants.js';
import { type BrokerOptions, type EmbeddedBroker, startBroker } from '../../edge/broker.js';
import { silentLog } from '../../platform/log.js';
import { until } from '../edge/harness.js';
import { Client, testSite } from './site.js';

const site = await testSite(t);
const out = join(site.folder, 'out');
await site.broker(['embedded', '--out', out, '--host', '127.0.0.1']);
const tls = { certificate: join(out, 'server.crt'), key: join(out, 'server.key'), ca: join(out, 'ca.crt') };

async function start(t: Test, limits: BrokerOptions['limits']): Promise<EmbeddedBroker> {
  const broker = await startBroker({ host: '127.0.0.1', port: 0, tls, limits }, silentLog);
  t.teardown(() => broker.close());
  return broker;
}

const enter = (broker: EmbeddedBroker, pair = site.yard, more = {}) =>
  Client.connect(broker.url, site.ca, pair, more) as Promise<Client>;

t.test('a listener that the network reaches takes TLS, or a decision', async (t) => {
  await t.rejects(startBroker({ host: '0.0.0.0', port: 0 }, silentLog), { code: 'broker_open', exitCode: 2 });
  for (const change of [{ key: tls.ca }, { certificate: join(out, 'none') }, { crl: tls.ca }]) {
    await t.rejects(startBroker({ host: '127.0.0.1', port: 0, tls: { ...tls, ...change } }, silentLog), /./);
  }
});

t.test('the edge’s own place takes its password', async (t) => {
  const broker = await start(t, {});
  const { url, password } = broker.own;
  t.equal(await Client.connect(url, site.ca), undefined);
  t.equal(await Client.connect(url, site.ca, undefined, { username: 'edge', password: 'guess' }), undefined);
  const own = await Client.connect(url, site.ca, undefined, { username: 'edge', password });
  t.same(await own?.ask('deepcod/#'), [true]);
  await own?.close();
});

t.test('too many messages: dropped and counted; what is acknowledged is held back, and all of it comes', async (t) => {
  const broker = await start(t, { messages_per_s: 50 });
  const worker = await enter(broker, site.worker);
  await worker.ask('deepcod/#');
  const yard = await enter(broker);
  for (let i = 0; i < 160; i++) yard.say('deepcod/yard/frame', `q0 ${i}`);
  await until(() => broker.counters().over_rate > 0, 'messages to be dropped');
  const street = await enter(broker, site.street);
  await Promise.all(
    Array.from({ length: 150 }, (_, i) => street.mqtt.publishAsync('deepcod/street/result', `q1 ${i}`, { qos: 1 })),
  );
  await until(() => worker.texts.filter((text) => text.startsWith('q1')).length === 150, 'every acknowledged message');
  t.ok(broker.counters().held_back > 0);
  t.ok(worker.texts.filter((text) => text.startsWith('q0')).length < 160);
  t.ok(street.mqtt.connected);
  for (const client of [worker, yard, street]) await client.close();
});

t.test('who goes on and on is thrown out, and stays out, whatever it calls itself', async (t) => {
  const broker = await start(t, { messages_per_s: 5 });
  const yard = await enter(broker);
  for (let i = 0; i < 40; i++) yard.say('deepcod/street/frame', 'forbidden');
  for (let i = 0; i < 8; i++) {
    if (!yard.mqtt.connected) break;
    for (let k = 0; k < 40; k++) yard.say('deepcod/yard/frame', 'x');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await yard.gone();
  t.equal(broker.counters().locked_out, 1);
  t.equal(await Client.connect(broker.url, site.ca, site.yard, { clientId: 'another' }), undefined);
  const street = await enter(broker, site.street);
  t.ok(street, 'others are let in');
  await street.close();
});

t.test('a device that stops reading its results stops nobody else', async (t) => {
  const broker = await start(t, {});
  const deaf = await enter(broker);
  await deaf.ask('deepcod/yard/result');
  const street = await enter(broker, site.street);
  await street.ask('deepcod/street/result');
  (deaf.mqtt.stream as Socket).pause();
  const worker = await enter(broker, site.worker);
  const large = Buffer.alloc(200_000, 'r');
  for (let i = 0; i < 150; i++) worker.say('deepcod/yard/result', large);
  worker.say('deepcod/street/result', 'in time');
  await street.hears('in time');
  t.ok(broker.counters().slow_reader > 0);
  for (const client of [deaf, street, worker]) await client.close();
});

t.test('connections: of one address, without a word, without an end', async (t) => {
  const broker = await start(t, { per_address: 20 });
  const sockets: Socket[] = [];
  let ended = 0;
  for (let i = 0; i < 60; i++) {
    const socket = connect(broker.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('close', () => ended++);
    socket.resume();
    sockets.push(socket);
    // a TLS record that never ends
    socket.on('connect', () => socket.write(Uint8Array.of(22, 3, 1, 2, 0, 1)));
  }
  await until(() => ended >= 40, 'what is too much to be refused');
  t.ok(broker.counters().too_many >= 40);
  t.ok(broker.connections <= 20);
  await until(() => ended === 60, 'the silent ones to be ended after ten seconds');
  const yard = await enter(broker);
  t.ok(yard, 'and there is room again');
  await yard.close();
});

t.test('malformed connects end their own connection only', async (t) => {
  const broker = await startBroker({ host: '127.0.0.1', port: 0 }, silentLog);
  t.teardown(() => broker.close());
  const good = [0x10, 0x10, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 15, 0, 4, 0x74, 0x65, 0x73, 0x74];
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 48271) % 0x7fffffff;
    return seed % below;
  };
  for (let i = 0; i < 300; i++) {
    const bytes = [...good];
    for (let k = 0; k <= random(4); k++) bytes[random(bytes.length)] = random(256);
    const socket = connect(broker.port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.end(Uint8Array.from([...bytes, ...Array.from({ length: random(30) }, () => random(256))]));
    socket.resume();
  }
  const client = await Client.connect(broker.url, '');
  t.ok(client);
  await client?.close();
  const huge = connect(broker.port, '127.0.0.1');
  huge.on('error', () => {});
  await once(huge, 'connect');
  huge.write(Uint8Array.of(0x10, 0xff, 0xff, 0x07));
  await once(huge.resume(), 'close');
  t.equal(broker.counters().too_large >= 1, true, 'a CONNECT of more than 64 KB is not waited for');
});

t.test('filters, addresses, buckets', (t) => {
  const rows: [string, string, boolean][] = [
    ['a/b/#', 'a/b', true],
    ['a/+/c', 'a/+/c', true],
    ['a/+/c', 'a/#', false],
    ['a/b', 'a/+', false],
    ['a/b', 'a/b/c', false],
    ['a/b/c', 'a/b', false],
    ['#', '$SYS/x', false],
    ['+/x', '$SYS/x', false],
    ['#', '#', true],
    ['a/#', '#', false],
    ['a/+/#', 'a/b/c/d', true],
  ];
  for (const [granted, wanted, expected] of rows)
    t.equal(covers(granted, wanted), expected, `${granted} covers ${wanted}`);
  t.equal(network('::ffff:10.0.0.1'), '10.0.0.1');
  t.equal(network('2001:db8:0:1::5'), network('2001:db8:0:1:ffff::'));
  t.not(network('2001:db8:0:1::5'), network('2001:db8:0:2::5'));
  const addresses = new Addresses(1);
  t.same([addresses.enter('a'), addresses.enter('a'), addresses.enter('b')], [true, false, true]);
  addresses.leave('a');
  t.ok(addresses.enter('a'));
  const bucket = new Bucket(10, 0);
  bucket.take(100, 0);
  t.equal(bucket.wait(0), 8100, 'a debt is paid off');
  t.equal(bucket.wait(8100), 0);
  t.end();
});
