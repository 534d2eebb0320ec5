import type { Test } from 'tap';
import { FRAME_MAX_BYTES } from '../../protocol/frame.js';
import { Client, type TestSite } from './site.js';

/** Ends in the topics of the base that a device named `yard` must not write. */
const foreignTopics = [
  'street/frame',
  'street/ping',
  'street/status',
  'street/health',
  'street/result',
  'street/decisions',
  'street/command/explain',
  'street/update/x',
  'yard/command/explain',
  'yard/other',
  'yard/frame/edge-1/more',
  'edge/edge-1/status',
  'edge/yard/status',
];

/** Filters that a device named `yard` must get nothing from. */
const foreignFilters = [
  '#',
  '+/+/result',
  'deepcod/#',
  'deepcod/+/result',
  'deepcod/street/#',
  'deepcod/street/result',
  'deepcod/+/command/#',
  'deepcod/yard/#',
  'deepcod/yard/frame',
  '$SYS/#',
];

/** What is the same at every broker that a site may have. Each row is a test of its own. */
export function accessTable(t: Test, site: TestSite, url: () => string): void {
  const connect = (pair = site.yard, more = {}) => Client.connect(url(), site.ca, pair, more) as Promise<Client>;

  t.test('who is let in', async (t) => {
    const rows = [
      ['a device of this site', site.yard, true],
      ['an operator of this site', site.alice, true],
      ['a worker of this site', site.worker, true],
      ['no certificate', undefined, false],
      ["another authority's certificate", site.foreign, false],
      ['an expired certificate', site.expired, false],
      ['a revoked certificate', site.stolen, false],
      ["a server's certificate", site.server, false],
    ] as const;
    for (const [what, pair, expected] of rows) {
      const client = await Client.connect(url(), site.ca, pair);
      t.equal(client !== undefined, expected, what);
      await client?.close();
    }
    const plain = await Client.connect(url().replace('mqtts:', 'mqtt:'), site.ca, undefined, { connectTimeout: 2000 });
    t.equal(plain, undefined, 'no TLS');
    const old = await Client.connect(url(), site.ca, site.yard, {
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
    } as object);
    t.equal(old, undefined, 'TLS 1.1');
    const wrong = await Client.connect(url(), site.foreign.certificate, site.yard);
    t.equal(wrong, undefined, 'a client that does not know the authority stays away');
  });

  t.test('what a device can write', async (t) => {
    const worker = await connect(site.worker);
    const yard = await connect();
    t.same(await worker.ask('deepcod/#'), [true]);
    const own = ['frame', 'ping', 'status', 'health', 'decisions', 'result', 'frame/edge-1', 'update/status'];
    for (const topic of own) yard.say(`deepcod/yard/${topic}`, `own ${topic}`);
    for (const topic of own) await worker.hears(`own ${topic}`);
    for (const topic of foreignTopics) yard.say(`deepcod/${topic}`, 'forbidden', { qos: 0 });
    for (const topic of foreignTopics) yard.say(`deepcod/${topic}`, 'forbidden', { qos: 1, retain: true });
    for (const topic of ['other', 'homeassistant/x', '$SYS/x']) yard.say(topic, 'forbidden');
    yard.say('deepcod/yard/health', 'last');
    await worker.hears('last');
    t.notOk(worker.texts.includes('forbidden'), 'nothing on anybody else’s topic');
    await yard.close();
    const late = await connect(site.worker);
    await late.ask('deepcod/#');
    worker.say('deepcod/later', 'now');
    await late.hears('now');
    t.notOk(late.texts.includes('forbidden'), 'and nothing was kept of it');
    await late.close();
    await worker.close();
  });

  t.test('what a device can read', async (t) => {
    const worker = await connect(site.worker);
    const yard = await connect();
    const own = ['deepcod/yard/result', 'deepcod/yard/command/#', 'deepcod/yard/update/chunk', 'deepcod/edge/+/status'];
    t.same(await yard.ask(...own, 'deepcod/yard/ping', 'deepcod/yard/update/offer/+'), Array(6).fill(true));
    const spy = await connect(site.yard, { clientId: 'spy' });
    await spy.ask(...foreignFilters);
    worker.say('deepcod/street/result', 'secret');
    worker.say('deepcod/street/command/explain', 'secret');
    worker.say('deepcod/street/frame', 'secret');
    worker.say('deepcod/yard/frame', 'secret');
    worker.say('deepcod/yard/result', 'own result');
    worker.say('deepcod/yard/command/explain', 'own command');
    worker.say('deepcod/yard/update/offer/edge-1', 'own update');
    worker.say('deepcod/edge/edge-1/status', 'status of the edge');
    for (const text of ['own result', 'own command', 'own update', 'status of the edge']) await yard.hears(text);
    // ordered: what was sent before has come by then, or never will
    await spy.ask('deepcod/yard/result');
    worker.say('deepcod/yard/result', 'the end');
    await spy.hears('the end');
    t.notOk(spy.texts.includes('secret'), 'nothing of others');
    t.notOk(yard.texts.includes('secret'));
    for (const client of [yard, spy, worker]) await client.close();
  });

  t.test('a certificate for a name that is none of a device’s', async (t) => {
    const worker = await connect(site.worker);
    await worker.ask('deepcod/#');
    const odd = await Client.connect(url(), site.ca, site.odd);
    for (const topic of ['edge/edge-1/status', 'edge/edge/status']) odd?.say(`deepcod/${topic}`, 'forbidden');
    worker.say('deepcod/yard/result', 'the end');
    await worker.hears('the end');
    t.notOk(worker.texts.includes('forbidden'));
    await odd?.close();
    await worker.close();
  });

  t.test('last wills, user names', async (t) => {
    const worker = await connect(site.worker);
    await worker.ask('deepcod/#');
    const will = (topic: string, text: string) => ({
      will: { topic, payload: Buffer.from(text), qos: 1, retain: true },
    });
    const good = await connect(site.yard, will('deepcod/yard/status', 'good will'));
    good.mqtt.stream.destroy();
    await worker.hears('good will');
    const bad = await Client.connect(
      url(),
      site.ca,
      site.yard,
      will('deepcod/edge/edge-1/status', 'bad will') as object,
    );
    bad?.mqtt.stream.destroy();
    // who calls itself something else, with a certificate of its own, is refused or is still itself
    const liar = await Client.connect(url(), site.ca, site.yard, { username: 'street', password: 'x' });
    liar?.say('deepcod/street/frame', 'lie');
    const street = await connect(site.street);
    street.say('deepcod/street/health', 'the end');
    await worker.hears('the end');
    await new Promise((resolve) => setTimeout(resolve, 300));
    t.notOk(worker.texts.includes('bad will'));
    t.notOk(worker.texts.includes('lie'));
    await liar?.close();
    for (const client of [street, worker]) await client.close();
  });

  t.test('operators read everything and send commands, and nothing else', async (t) => {
    const alice = await connect(site.alice);
    const yard = await connect();
    t.same(await alice.ask('deepcod/#'), [true]);
    await yard.ask('deepcod/yard/command/#', 'deepcod/yard/result');
    alice.say('deepcod/yard/result', 'forbidden');
    alice.say('deepcod/yard/command/explain', 'command');
    await yard.hears('command');
    yard.say('deepcod/yard/frame', 'a frame');
    await alice.hears('a frame');
    t.notOk(yard.texts.includes('forbidden'));
    for (const client of [alice, yard]) await client.close();
  });

  t.test('an integration reads what it is told and chooses partition points, and nothing else', async (t) => {
    const house = await connect(site.house);
    const worker = await connect(site.worker);
    const [yard, alice] = [await connect(), await connect(site.alice)];
    const told = [
      ...['homeassistant/device/x/config', 'deepcod/yard/ha', 'deepcod/yard/ha/picture', 'deepcod/edge/edge-1/status'],
      ...['deepcod/events', 'deepcod/alerts/yard/critical'],
    ];
    await house.ask('homeassistant/#', 'deepcod/+/status', ...told, 'deepcod/yard/result', 'deepcod/yard/frame');
    for (const [i, topic] of told.entries()) worker.say(topic, `told ${i}`);
    for (const i of told.keys()) await house.hears(`told ${i}`);
    worker.say('deepcod/yard/result', 'a result');
    worker.say('deepcod/yard/ha', 'after the result');
    await house.hears('after the result');
    t.notOk(house.texts.includes('a result'));

    await yard.ask('deepcod/yard/command/#');
    await alice.ask('deepcod/#');
    const others = ['deepcod/yard/command/explain', 'deepcod/yard/command/capture', 'deepcod/yard/update/offer/edge-1'];
    for (const topic of [...others, 'deepcod/yard/ha', 'homeassistant/device/x/config']) house.say(topic, 'forbidden');
    house.say('deepcod/yard/command/partition', 'choice');
    await yard.hears('choice');
    await alice.hears('choice');
    for (const client of [yard, alice, house]) t.notOk(client.texts.includes('forbidden'));
    await worker.ask('homeassistant/status');
    house.say('homeassistant/status', 'online');
    await worker.hears('online');
    for (const client of [house, worker, yard, alice]) await client.close();
  });

  t.test('size: the largest frame passes, a larger packet ends its connection', async (t) => {
    const worker = await connect(site.worker);
    await worker.ask('deepcod/+/frame');
    const yard = await connect();
    const fits = Buffer.alloc(FRAME_MAX_BYTES, 'f');
    yard.say('deepcod/yard/frame', fits);
    await worker.hears('f'.repeat(100));
    yard.say('deepcod/yard/frame', Buffer.alloc(FRAME_MAX_BYTES + 8192, 'g'));
    await yard.gone();
    const again = await connect();
    again.say('deepcod/yard/frame', 'small');
    await worker.hears('small');
    t.notOk(worker.texts.includes('g'.repeat(100)));
    for (const client of [again, worker]) await client.close();
  });
}
