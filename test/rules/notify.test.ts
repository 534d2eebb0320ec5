import { createServer as createHttp, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import t, { type Test } from 'tap';
import { EmailSender } from '../../edge/rules/notify/email.js';
import { MqttSender } from '../../edge/rules/notify/mqtt.js';
import { type Message, Outbox, type Sender } from '../../edge/rules/notify/outbox.js';
import { sign, WebhookSender } from '../../edge/rules/notify/webhook.js';
import type { Target } from '../../edge/rules/types.js';
import { History } from '../../edge/store/history/history.js';
import { silentLog } from '../../platform/log.js';
import { Topics } from '../../protocol/topics.js';
import { folderFor, openHistory, retention } from '../store/parts.js';

const until = async (what: () => boolean) => {
  for (let i = 0; i < 1000 && !what(); i++) await new Promise((done) => setTimeout(done, 10));
};

/** Takes what it is given, or fails. */
class Stub implements Sender {
  readonly got: Message[][] = [];
  failures = 0;
  constructor(
    readonly digest = false,
    readonly everyMs = 0,
  ) {}
  async send(messages: readonly Message[]): Promise<void> {
    if (this.failures-- > 0) throw new Error('not now');
    this.got.push([...messages]);
  }
  async close(): Promise<void> {}
}

const body = (message = 'm') =>
  JSON.stringify({ v: 1, type: 'new', alert: { id: 'a', camera: 'gate', severity: 'warning', message, started: 0 } });

t.test('what was not delivered is there after a restart, and is delivered then', async (t) => {
  const folder = folderFor(t);
  const history = await History.open({ folder, retention }, silentLog);
  const dead = new Stub();
  dead.failures = Number.POSITIVE_INFINITY;
  const outbox = await Outbox.open(history.database, new Map<Target, Sender>([['webhook', dead]]), silentLog);
  for (const id of ['a', 'b']) outbox.push('webhook', id, body(id));
  outbox.push('email', 'c', body());
  t.equal(outbox.counts.waiting, 2, 'what is not set up gets nothing');
  await outbox.close();
  await history.close();

  const again = await History.open({ folder, retention }, silentLog);
  t.teardown(() => again.close());
  const well = new Stub();
  const second = await Outbox.open(again.database, new Map<Target, Sender>([['webhook', well]]), silentLog);
  await until(() => well.got.length === 2);
  t.same(
    well.got
      .flat()
      .map(({ id }) => id)
      .sort(),
    ['a', 'b'],
  );
  await second.close();
  t.same(await again.database.db.selectFrom('outbox').selectAll().execute(), [], 'what is delivered is gone');
});

t.test('a failure is tried again; a digest takes all that wait; the number that waits is bounded', async (t) => {
  const history = await openHistory(t);
  const digest = new Stub(true, 60_000);
  const single = new Stub();
  single.failures = 1;
  const outbox = await Outbox.open(
    history.database,
    new Map<Target, Sender>([
      ['email', digest],
      ['webhook', single],
    ]),
    silentLog,
  );
  outbox.push('webhook', 'w', body());
  for (let i = 0; i < 5; i++) outbox.push('email', `e${i}`, body());
  await until(() => single.got.length === 1 && digest.got.length === 1);
  t.same(
    digest.got.map((messages) => messages.length),
    [5],
  );
  for (let i = 0; i < 1100; i++) outbox.push('email', `f${i}`, body());
  t.equal(outbox.counts.waiting, 1000);
  t.equal(outbox.counts.lost, 100);
  t.equal(digest.got.length, 1, 'the next mail waits for its time');
  await outbox.close();
});

/** A web server that notes what it is sent. */
async function hook(t: Test, status: number) {
  const got: { headers: IncomingHttpHeaders; body: string }[] = [];
  const server = createHttp((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (data: string) => {
      text += data;
    });
    request.on('end', () => {
      got.push({ headers: request.headers, body: text });
      response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end('x');
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.teardown(() => server.close());
  return { got, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` };
}

t.test('the webhook: signed JSON; what is no 2xx, a redirect too, is a failure', async (t) => {
  const good = await hook(t, 204);
  const sender = new WebhookSender(good.url, 'secret');
  await sender.send([{ id: 'a-new', body: body() }]);
  const [{ headers, body: got }] = good.got;
  t.equal(got, body());
  t.equal(headers['x-deepcod-delivery'], 'a-new');
  const signature = headers['x-deepcod-signature'] as string;
  t.equal(signature, sign('secret', Number(/^t=(\d+)/.exec(signature)?.[1]), body()));
  for (const status of [500, 302, 404]) {
    const bad = await hook(t, status);
    await t.rejects(new WebhookSender(bad.url, undefined).send([{ id: 'x', body: body() }]), {
      message: new RegExp(`${status}`),
    });
    t.equal(bad.got[0].headers['x-deepcod-signature'], undefined);
  }
  await sender.close();
});

t.test('e-mail: one mail for all, one line of subject; an account is not sent in the clear', async (t) => {
  const said: string[] = [];
  const server = createServer((socket) => {
    let data = false;
    socket.setEncoding('utf8').write('220 stand-in\r\n');
    socket.on('data', (chunk: string) => {
      said.push(chunk);
      if (data) {
        if (!said.join('').includes('\r\n.\r\n')) return;
        data = false;
        socket.write('250 taken\r\n');
      } else if (/^EHLO/i.test(chunk)) socket.write('250-stand-in\r\n250 AUTH PLAIN\r\n');
      else if (/^DATA/i.test(chunk)) {
        data = true;
        socket.write('354 go on\r\n');
      } else if (/^QUIT/i.test(chunk)) socket.end('221 bye\r\n');
      else socket.write('250 ok\r\n');
    });
    socket.on('error', () => {});
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const settings = {
    host: '127.0.0.1',
    port,
    secure: false,
    from: 'edge@example.org',
    to: ['a@example.org', 'b@example.org'],
    digest_s: 60,
  };
  const sender = new EmailSender(settings, undefined);
  t.equal(sender.everyMs, 60_000);
  await sender.send([
    { id: '1', body: body('first\r\nBcc: evil@example.org') },
    { id: '2', body: body('second') },
  ]);
  const text = said.join('');
  t.match(text, /RCPT TO:<a@example.org>/);
  t.match(text, /RCPT TO:<b@example.org>/);
  t.notMatch(text, /RCPT TO:<evil/);
  t.match(text, /Subject: \[DeepCOD\] 2 alerts, first: first/);
  t.match(text, /second/);
  const account = new EmailSender({ ...settings, username: 'edge' }, 'hunter2');
  await t.rejects(account.send([{ id: '3', body: body() }]), /TLS|SSL/i);
  t.notMatch(said.join(''), Buffer.from('\0edge\0hunter2').toString('base64'));
});

t.test('MQTT: one topic per camera and severity; unacknowledged is a failure', async (t) => {
  const sent: string[] = [];
  let delivery: 'acknowledged' | 'lost' = 'acknowledged';
  const broker = {
    async publishAcknowledged(topic: string) {
      sent.push(topic);
      return delivery;
    },
  };
  const sender = new MqttSender(broker as never, new Topics('site/deepcod'));
  await sender.send([{ id: 'a', body: body() }]);
  t.same(sent, ['site/deepcod/alerts/gate/warning']);
  delivery = 'lost';
  await t.rejects(sender.send([{ id: 'a', body: body() }]), /lost/);
});
