import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createLog, type Log, type LogEvent } from '../../platform/log.js';
import { type BrokerConfig, connectMqtt, type MessageProperties } from '../../platform/mqtt.js';
import { aedesBroker, freePort, mosquittoBroker, type TestBroker, withoutMosquitto } from './brokers.js';

const config = (url: string, more: Partial<BrokerConfig> = {}): BrokerConfig => ({
  url,
  version: 'auto',
  keepalive_s: 15,
  ...more,
});

function recorded(): { log: Log; events: LogEvent[]; said(pattern: RegExp): LogEvent | undefined } {
  const events: LogEvent[] = [];
  const log = createLog('test', 'debug', { write: (_, event) => events.push(event) });
  return { log, events, said: (pattern) => events.find((event) => pattern.test(event.message)) };
}

const until = async (condition: () => boolean, what: string) => {
  for (let i = 0; i < 600; i++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`in vain waited for: ${what}`);
};

async function delivers(t: Test, broker: TestBroker, version: BrokerConfig['version'], used: 4 | 5) {
  const { log } = recorded();
  const client = connectMqtt({ broker: config(broker.url, { version }), clientId: `c${version}` }, log);
  t.equal(client.publish('a/b', 'too early'), false, 'nothing is queued before there is a connection');
  const got: { topic: string; text: string }[] = [];
  const properties: MessageProperties[] = [];
  client.subscribe('a/+', (topic, payload, came) => {
    got.push({ topic, text: payload.toString() });
    properties.push(came);
  });
  t.ok(await client.ready(10_000));
  t.equal(client.version, used);
  const correlationData = Buffer.from('tag');
  const sent = { expirySeconds: 600, responseTopic: 'a/r', correlationData };
  await until(() => client.publish('a/b', 'hello', sent), 'connection');
  await until(() => got.length > 0, 'a message');
  t.same(got[0], { topic: 'a/b', text: 'hello' });
  const { messageExpiryInterval: left, ...others } = properties[0];
  if (used === 5) {
    t.ok(left !== undefined && left > 0 && left <= 600, `${left} seconds are left of 600`);
    t.same(others, { responseTopic: 'a/r', correlationData, retain: false });
  } else {
    t.same(
      [left, others.responseTopic, others.correlationData, others.retain],
      [undefined, undefined, undefined, false],
    );
  }
  const bytes = new Uint8Array(300_000).fill(65);
  t.ok(client.publish('a/large', bytes));
  await until(() => got.length > 1, 'a large message');
  t.equal(got[1].text.length, 300_000);
  const deliveries = await Promise.all(
    Array.from({ length: 5 }, (_, i) => client.publishAcknowledged('a/b', `number ${i}`, { expirySeconds: 600 })),
  );
  t.same(deliveries, Array(5).fill('acknowledged'));
  await until(() => got.length > 6, 'the acknowledged messages');
  t.same(
    got.slice(2).map(({ text }) => text),
    Array.from({ length: 5 }, (_, i) => `number ${i}`),
    'in order',
  );
  await client.close();
  t.equal(client.publish('a/b', 'too late'), false);
  t.equal(await client.publishAcknowledged('a/b', 'too late'), 'lost');
}

async function comesAndGoes(t: Test, broker: TestBroker) {
  const { log, events, said } = recorded();
  let ups = 0;
  let downs = 0;
  const got: string[] = [];
  const client = connectMqtt({ broker: config(broker.url), clientId: 'patient' }, log);
  client.onUp(() => ups++);
  client.onDown(() => downs++);
  client.subscribe('x', (_, payload) => got.push(payload.toString()));
  await until(() => said(/cannot be reached/) !== undefined, 'word of the absence');
  t.match(said(/cannot be reached/), { level: 'warn', fields: { reason: 'connection refused' } });
  t.equal(await client.ready(10), false);
  await broker.start();
  await until(() => client.connected, 'the connection');
  t.ok(said(/there again after/), 'and that it came');
  client.publish('x', 'one');
  await until(() => got.includes('one'), 'the first message');
  await broker.stop();
  await until(() => !client.connected, 'the loss');
  t.ok(said(/went away/));
  t.equal(client.publish('x', 'lost'), false, 'nothing is queued while away');
  await broker.start();
  await until(() => client.connected, 'the second connection');
  await until(() => {
    client.publish('x', 'two');
    return got.includes('two');
  }, 'messages after the reconnect: subscriptions were renewed');
  t.notOk(got.includes('lost'));
  t.equal(ups, 2);
  t.equal(downs, 1);
  t.equal(events.filter((event) => event.level === 'warn').length, 2, 'one line per absence, not one per attempt');
  await client.close();
  await broker.stop();
}

t.test('aedes', async (t) => {
  const broker = await aedesBroker();
  await broker.start();
  await delivers(t, broker, 'auto', 4);
  await delivers(t, broker, '3.1.1', 4);
  await broker.stop();
});

t.test('aedes absent, there, gone and back', async (t) => comesAndGoes(t, await aedesBroker()));

t.test('mosquitto', { skip: withoutMosquitto }, async (t) => {
  const broker = await mosquittoBroker();
  await broker.start();
  await delivers(t, broker, 'auto', 5);
  await delivers(t, broker, '5', 5);
  await delivers(t, broker, '3.1.1', 4);
  await broker.stop();
});

t.test('mosquitto absent, there, gone and back', { skip: withoutMosquitto }, async (t) =>
  comesAndGoes(t, await mosquittoBroker()),
);

t.test('more than the broker takes at a time, and what it refuses', { skip: withoutMosquitto }, async (t) => {
  const rules = join(t.testdir({ rules: 'topic readwrite open\n' }), 'rules');
  const broker = await mosquittoBroker(['allow_anonymous true', `acl_file ${rules}`, 'max_inflight_messages 5']);
  await broker.start();
  const client = connectMqtt({ broker: config(broker.url), clientId: 'c' }, recorded().log);
  t.ok(await client.ready(10_000));
  const all = await Promise.all(Array.from({ length: 8 }, () => client.publishAcknowledged('open', 'x')));
  t.same(all, [...Array(4).fill('acknowledged'), ...Array(4).fill('lost')], 'one is left for a status');
  t.equal(await client.publishAcknowledged('open', 'x'), 'acknowledged', 'and the connection stands');
  t.equal(await client.publishAcknowledged('closed', 'x'), 'refused');
  await client.close();
  await broker.stop();
});

t.test('a broker that does not acknowledge: known when the connection ends', async (t) => {
  // CONNACK, and nothing more
  const server = createServer((socket) => {
    socket.once('data', () => socket.write(Buffer.from([0x20, 2, 0, 0])));
    socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sockets: Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket));
  const url = `mqtt://127.0.0.1:${(server.address() as { port: number }).port}`;
  const client = connectMqtt({ broker: config(url, { version: '3.1.1' }), clientId: 'c' }, recorded().log);
  t.equal(await client.publishAcknowledged('a', 'x'), 'lost', 'not connected');
  t.ok(await client.ready(10_000));
  const first = client.publishAcknowledged('a', 'x');
  const waited = await Promise.race([first, new Promise((resolve) => setTimeout(resolve, 100, 'nothing'))]);
  t.equal(waited, 'nothing');
  sockets[0].destroy();
  t.equal(await first, 'lost');
  await until(() => client.connected, 'the next connection');
  const second = client.publishAcknowledged('a', 'x');
  await client.close(100);
  t.equal(await second, 'lost');
  server.close();
});

t.test('a wrong password is named', { skip: withoutMosquitto }, async (t) => {
  const dir = t.testdir({ none: '' });
  const broker = await mosquittoBroker(['allow_anonymous false', `password_file ${join(dir, 'none')}`]);
  writeFileSync(join(dir, 'password'), 'wrong\n');
  await broker.start();
  const { log, said } = recorded();
  const more = { username: 'yard', password_file: join(dir, 'password') };
  const client = connectMqtt({ broker: config(broker.url, more), clientId: 'c' }, log);
  await until(() => said(/cannot be reached/) !== undefined, 'word of the refusal');
  t.match(said(/cannot be reached/)?.fields, { reason: /not authorised|password/, hint: /password_file/ });
  await client.close();
  await broker.stop();
});

t.test('the last will is sent for who dies, not for who closes', { skip: withoutMosquitto }, async (t) => {
  const broker = await mosquittoBroker();
  await broker.start();
  const { log } = recorded();
  const heard: string[] = [];
  const watcher = connectMqtt({ broker: config(broker.url), clientId: 'watcher' }, log);
  watcher.subscribe('s/#', (topic, payload) => heard.push(`${topic} ${payload}`));
  await watcher.ready(10_000);
  const will = (name: string) => ({ topic: `s/${name}`, payload: 'gone' });
  const polite = connectMqtt({ broker: config(broker.url), clientId: 'polite', will: will('polite') }, log);
  await polite.ready(10_000);
  await polite.close();
  const first = connectMqtt({ broker: config(broker.url), clientId: 'same', will: will('first') }, log);
  await first.ready(10_000);
  const { log: secondLog } = recorded();
  const second = connectMqtt({ broker: config(broker.url), clientId: 'same' }, secondLog);
  await until(() => heard.includes('s/first gone'), 'the last will of who was pushed out');
  t.notOk(heard.some((line) => line.startsWith('s/polite')));
  await Promise.all([first.close(), second.close(), watcher.close()]);
  await broker.stop();
});

t.test('who does not speak MQTT, and settings that cannot work', async (t) => {
  const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const { log, said } = recorded();
  const client = connectMqtt({ broker: config(`mqtt://127.0.0.1:${port}`), clientId: 'c' }, log);
  await until(() => said(/cannot be reached/) !== undefined, 'word of it');
  t.match(said(/cannot be reached/), { level: 'warn' });
  await client.close();
  server.close();

  const port2 = await freePort();
  const url = `mqtt://127.0.0.1:${port2}`;
  t.throws(() => connectMqtt({ broker: config(url, { ca_file: '/nowhere' }), clientId: 'c' }, log), {
    code: 'secret_unreadable',
  });
  t.throws(() => connectMqtt({ broker: config('mqtt://u:p@h:1'), clientId: 'c' }, log), { code: 'broker_url' });
});
