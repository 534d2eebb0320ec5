import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import t from 'tap';
import { type LinkState, Relay } from '../../bench/link/relay.js';

const FREE: LinkState = { mbps: Number.POSITIVE_INFINITY, delayMs: 0, up: true };

type Test = { teardown(what: () => unknown): void };

/** A server that answers with what `serve` makes of a connection, behind a relay. */
async function behindRelay(t: Test, state: LinkState, serve: (socket: Socket) => void): Promise<Relay> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const relay = await Relay.open({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }, state);
  t.teardown(async () => {
    await relay.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return relay;
}

const echo = (socket: Socket) => socket.pipe(socket);

/** Resolves once the connection is gone, in order or cut. */
const gone = (socket: Socket) => {
  socket.on('error', () => {});
  return new Promise<void>((resolve) => {
    socket.on('close', () => resolve());
  });
};

/** Sends all, half-closes, and takes what comes until the end. */
async function exchange(port: number, data: Buffer): Promise<{ back: Buffer; ms: number }> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect');
  const start = performance.now();
  socket.end(data);
  const parts: Buffer[] = [];
  for await (const part of socket) parts.push(part as Buffer);
  return { back: Buffer.concat(parts), ms: performance.now() - start };
}

t.test('bytes arrive whole and in order, both ways, on several connections at once', async (t) => {
  const relay = await behindRelay(t, { mbps: 400, delayMs: 5, up: true }, echo);
  const sent = [randomBytes(3_000_000), randomBytes(100_001), randomBytes(1), Buffer.alloc(0)];
  const got = await Promise.all(sent.map((data) => exchange(relay.port, data)));
  for (const [i, { back }] of got.entries()) t.ok(back.equals(sent[i]), `${sent[i].length} bytes, ${back.length} back`);
});

t.test('1 Mbit/s is no faster than that', async (t) => {
  const relay = await behindRelay(t, { mbps: 1, delayMs: 0, up: true }, echo);
  const { back, ms } = await exchange(relay.port, randomBytes(100_000));
  t.equal(back.length, 100_000);
  t.ok(ms >= 600, `${ms} ms for 100 KB`);
});

t.test('the delay is there and back', async (t) => {
  const relay = await behindRelay(t, { ...FREE, delayMs: 40 }, echo);
  const { ms } = await exchange(relay.port, Buffer.from('a'));
  t.ok(ms >= 79, `${ms} ms`);
});

t.test('bytes stay in order while rate and delay change', async (t) => {
  const relay = await behindRelay(t, { mbps: 2, delayMs: 60, up: true }, echo);
  const states = [0.5, 50, 0, 5, 200].map((mbps, i) => ({ mbps, delayMs: [60, 1, 30, 0, 2][i], up: true }));
  const timer = setInterval(() => {
    const next = states.shift();
    if (next) relay.set(next);
  }, 40);
  t.teardown(() => clearInterval(timer));
  const sent = randomBytes(400_000);
  t.ok((await exchange(relay.port, sent)).back.equals(sent));
  t.equal(states.length, 0, 'the link changed meanwhile');
});

t.test('who does not read holds up the sender: little is buffered', async (t) => {
  let serving: Socket | undefined;
  const relay = await behindRelay(t, FREE, (socket) => {
    serving = socket.pause();
  });
  const socket = connect(relay.port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  const total = 64 * 1024 * 1024;
  const data = randomBytes(1024 * 1024);
  for (let i = 0; i < total; i += data.length) socket.write(data);
  let sent = -1;
  while (sent !== socket.bytesWritten - socket.writableLength) {
    sent = socket.bytesWritten - socket.writableLength;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  t.ok(sent < total / 2, `${sent} of ${total} bytes taken`);
  let got = 0;
  let whole = true;
  serving?.on('data', (part: Buffer) => {
    // At the start of each megabyte stands the same byte.
    const first = (data.length - (got % data.length)) % data.length;
    if (first < part.length && part[first] !== data[0]) whole = false;
    got += part.length;
  });
  serving?.resume();
  socket.end();
  if (serving) await once(serving, 'end');
  t.equal(got, total);
  t.ok(whole);
});

t.test('off cuts what is connected and what connects; on again works', async (t) => {
  const relay = await behindRelay(t, FREE, echo);
  const socket = connect(relay.port, '127.0.0.1');
  const cut = gone(socket);
  socket.write('a');
  await once(socket, 'data');
  relay.set({ ...FREE, up: false });
  await cut;
  const refused = connect(relay.port, '127.0.0.1');
  let data = 0;
  refused.on('data', () => data++);
  refused.write('a');
  await gone(refused);
  t.equal(data, 0);
  relay.set(FREE);
  t.equal((await exchange(relay.port, Buffer.from('again'))).back.toString(), 'again');
});

t.test('nothing behind it: the connection is cut', async (t) => {
  const relay = await behindRelay(t, FREE, (socket) => socket.resetAndDestroy());
  await gone(connect(relay.port, '127.0.0.1'));
  t.pass('closed');
});

t.test('closing cuts what is connected', async (t) => {
  const relay = await behindRelay(t, FREE, echo);
  const socket = connect(relay.port, '127.0.0.1');
  const cut = gone(socket);
  socket.write('a');
  await once(socket, 'data');
  await relay.close();
  await cut;
  await t.rejects(exchange(relay.port, Buffer.from('a')), { code: 'ECONNREFUSED' });
});

t.test('states that no link has', async (t) => {
  const to = { host: '127.0.0.1', port: 1 };
  await t.rejects(Relay.open(to, { ...FREE, mbps: -1 }), RangeError);
  await t.rejects(Relay.open(to, { ...FREE, mbps: Number.NaN }), RangeError);
  await t.rejects(Relay.open(to, { ...FREE, delayMs: Number.POSITIVE_INFINITY }), RangeError);
});
