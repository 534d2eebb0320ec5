import { once } from 'node:events';
import { connect } from 'node:net';
import mqtt from 'mqtt';
import t from 'tap';
import { PacketLimit } from '../../edge/broker/packet-limit.js';
import { startBroker } from '../../edge/broker.js';
import { silentLog } from '../../platform/log.js';
import { recordedLog } from './harness.js';

t.test('packet limit: follows packets across any cut of the stream', async (t) => {
  const lengths = [0, 1, 127, 128, 300, 16_383, 16_384, 20_000];
  const stream: number[] = [];
  for (const length of lengths) {
    stream.push(0x30);
    let rest = length;
    do {
      stream.push((rest & 0x7f) | (rest > 127 ? 0x80 : 0));
      rest >>= 7;
    } while (rest > 0);
    for (let i = 0; i < length; i++) stream.push(0xff);
  }
  const bytes = Uint8Array.from(stream);
  for (const cut of [1, 2, 3, 7, 100, 5000, bytes.length]) {
    const whole = new PacketLimit(20_000);
    const tight = new PacketLimit(19_999);
    let [accepted, refused] = [true, false];
    for (let at = 0; at < bytes.length; at += cut) {
      accepted &&= whole.accept(bytes.subarray(at, at + cut));
      refused ||= !tight.accept(bytes.subarray(at, at + cut));
    }
    t.ok(accepted, `cut every ${cut}: all within the limit`);
    t.ok(refused, `cut every ${cut}: the last is over it`);
  }
  t.notOk(new PacketLimit(1e9).accept(Uint8Array.of(0x30, 0x80, 0x80, 0x80, 0x80, 0x01)), 'a length of five bytes');
});

t.test('a connection that announces too large a packet is ended before it sends it; others go on', async (t) => {
  const { log, said } = recordedLog();
  const broker = await startBroker({ host: '127.0.0.1', port: 0 }, log);
  const good = await mqtt.connectAsync(broker.url, { protocolVersion: 4 });
  const socket = connect(broker.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => {});
  socket.write(Uint8Array.of(0x10, 0xff, 0xff, 0xff, 0x7f));
  await once(socket, 'close');
  t.ok(said(/too large/));
  await good.subscribeAsync('x');
  const message = new Promise((resolve) => good.once('message', (_topic, payload) => resolve(payload.toString())));
  await good.publishAsync('x', 'y');
  t.equal(await message, 'y');
  await good.endAsync();
  await broker.close();
});

t.test('random bytes do not stop it', async (t) => {
  const broker = await startBroker({ host: '127.0.0.1', port: 0 }, silentLog);
  let seed = 3;
  const random = () => {
    seed = (seed * 48271) % 0x7fffffff;
    return seed & 0xff;
  };
  for (let i = 0; i < 50; i++) {
    const socket = connect(broker.port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.end(Uint8Array.from({ length: 200 }, random));
    socket.resume();
  }
  const client = await mqtt.connectAsync(broker.url, { protocolVersion: 4 });
  t.ok(client.connected);
  await client.endAsync();
  await broker.close();
});

t.test('a port that is taken is an error that says what to do', async (t) => {
  const broker = await startBroker({ host: '127.0.0.1', port: 0 }, silentLog);
  const again = startBroker({ host: '127.0.0.1', port: broker.port }, silentLog);
  await t.rejects(again, { code: 'broker_listen', exitCode: 2, hint: /broker.port/ });
  await broker.close();
});

t.test('closing ends connections, also those that never said a word, and frees the port', async (t) => {
  const broker = await startBroker({ host: '127.0.0.1', port: 0 }, silentLog);
  const mute = connect(broker.port, '127.0.0.1');
  mute.on('error', () => {});
  await once(mute, 'connect');
  const client = await mqtt.connectAsync(broker.url, { protocolVersion: 4, reconnectPeriod: 0 });
  client.on('error', () => {});
  const ended = Promise.all([
    once(mute, 'close'),
    new Promise<void>((resolve) => client.once('close', () => resolve())),
  ]);
  await broker.close();
  await ended;
  client.end(true);
  const next = await startBroker({ host: '127.0.0.1', port: broker.port }, silentLog);
  t.equal(next.port, broker.port);
  await next.close();
});

t.test('a broker that is open to the network says so', async (t) => {
  const { log, said } = recordedLog();
  const broker = await startBroker({ host: '0.0.0.0', port: 0, insecure: true }, log);
  t.ok(said(/open to the network/));
  t.match(broker.url, /127\.0\.0\.1/);
  await broker.close();
});
