import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { DiscoveryDocument } from '../../../edge/integrations/home-assistant/document.js';
import { keyed } from '../../../edge/integrations/home-assistant/facts.js';
import { HomeAssistant } from '../../../edge/integrations/home-assistant/home-assistant.js';
import { packageRoot } from '../../../platform/root.js';
import {
  classes,
  detection,
  FakeBroker,
  health,
  hello,
  homeAssistantFacts as known,
  parts,
  seen,
} from './home-assistant-rig.js';

const config = 'homeassistant/device/site-deepcod_yard-1/config';
const stateTopic = 'site/deepcod/yard-1/ha';
const machine = {
  system: { model: 'Raspberry Pi 5', temperature_c: 61.3, wifi: { signal_dbm: -61.2 }, throttled: { now: [] } },
};

function start(t: Test): {
  now: { at: number };
  broker: FakeBroker;
  home: HomeAssistant;
  store: ReturnType<typeof parts>['store'];
} {
  const now = { at: Date.now() };
  const broker = new FakeBroker();
  const all = parts(broker, () => now.at);
  const home = new HomeAssistant(all);
  t.teardown(() => home.close());
  return { now, broker, home, store: all.store };
}

const last = <T>(broker: FakeBroker, topic: string): T => JSON.parse(broker.at(topic).at(-1) as string) as T;

t.test('a camera is announced once, and its state follows', async (t) => {
  const { now, broker, home, store } = start(t);
  hello(store);
  health(store, machine);
  home.tick(now.at);
  t.equal(broker.at(config).length, 1);
  t.ok(broker.all.find(({ topic }) => topic === config)?.retain);
  t.match(last(broker, stateTopic), {
    ...{ on: 'ON', occupied: 'OFF', bare_head: 'OFF', problem: 'OFF', detections: 0, latency_ms: 81, kb: 4.3, fps: 5 },
    ...{ drops: 3, temperature_c: 61.5, wifi_dbm: -61, partition: 'input', version: '0.1.0' },
  });
  home.tick(now.at + 1000);
  t.equal(broker.at(stateTopic).length, 1, 'nothing new, nothing said');
  for (let i = 0; i < 50; i++) seen(store, [detection('person', 0.9)]);
  t.equal(broker.at(stateTopic).length, 1, 'frames alone publish nothing');
  home.tick(now.at + 1500);
  t.match(last(broker, stateTopic), { occupied: 'ON', detections: 1, n: { person: 1 }, bare_head: 'OFF' });
  home.tick(now.at + 40_000);
  t.match(last(broker, stateTopic), { occupied: 'OFF', on: 'OFF' }, 'time passes too');
  const said = broker.at(stateTopic).length;
  home.tick(now.at + 75_000);
  t.equal(broker.at(stateTopic).length, said + 1, 'said again before it expires');
});

t.test(
  'a bare head is one that no helmet covers, by the rule of the alerts; what is masked or late does not count',
  async (t) => {
    const { now, broker, home, store } = start(t);
    hello(store);
    health(store);
    const state = (): object => {
      home.tick(now.at);
      return last(broker, stateTopic);
    };
    seen(store, [detection('head', 0.6), detection('helmet', 0.9)]);
    t.match(state(), { bare_head: 'OFF', occupied: 'ON' });
    seen(store, [detection('head', 0.9)], 'yard-1', true);
    t.match(state(), { bare_head: 'OFF' }, 'the past is no present');
    seen(store, [{ ...detection('head', 0.9), masked: true } as never]);
    t.match(state(), { bare_head: 'OFF', detections: 0 });
    seen(store, [detection('head', 0.9), detection('helmet', 0.9, [200, 200, 20, 20])]);
    t.match(state(), { bare_head: 'ON' });
  },
);

t.test('entities come with what is known, and go with it', async (t) => {
  const { now, broker, home, store } = start(t);
  const cmps = (): string[] => Object.keys(last<DiscoveryDocument>(broker, config).cmps);
  hello(store, 'yard-1', false);
  home.tick(now.at);
  t.notOk(cmps().includes('choice'), 'no commands, no select');
  t.notOk(cmps().includes('temperature'));
  t.ok(cmps().includes('no_helmet'));
  hello(store);
  health(store, machine);
  home.tick(now.at);
  t.ok(['choice', 'temperature', 'wifi'].every((key) => cmps().includes(key)));
  t.match(last<DiscoveryDocument>(broker, config).cmps.choice, {
    ops: ['auto', 'input', 'stage1', 'raw', 'device'],
    cmd_t: 'site/deepcod/yard-1/command/partition',
  });
  hello(store, 'yard-1', false);
  home.tick(now.at);
  const before = JSON.parse(broker.at(config).at(-2) as string) as DiscoveryDocument;
  t.same(before.cmps.choice, { p: 'select' }, 'taken away by name');
  t.notOk(cmps().includes('choice'));
});

t.test('a picture now and then, not retained', async (t) => {
  const { broker, home, store, now } = start(t);
  hello(store);
  const picture = {
    session: 1,
    type: 'image/jpeg',
    data: Buffer.from('jpeg'),
    width: 64,
    height: 48,
    from: 'input',
  } as const;
  for (let i = 0; i < 20; i++) {
    const frame = 1000 + i;
    store.onSnapshot('yard-1', { ...picture, frame });
    store.onResult('yard-1', {
      ...{ v: 1, session: 1, frame, bundle: '0011223344556677', partition: 'raw', rate: 0, worker: 'edge-1' },
      ...{ width: 64, height: 48, detections: [], edge_ms: { queue: 0, decode: 0, tail: 0, post: 0, total: 0 } },
    });
    await null;
  }
  t.same(broker.at(`${stateTopic}/picture`), ['jpeg'], 'twenty frames, one picture');
  t.equal(broker.all.find(({ topic }) => topic.endsWith('/picture'))?.retain, false);
  home.tick(now.at);
  t.match(last<DiscoveryDocument>(broker, config).cmps.picture, { p: 'image', img_t: `${stateTopic}/picture` });
});

t.test('taken away with the camera; told again when Home Assistant or the broker starts', async (t) => {
  const { now, broker, home, store } = start(t);
  hello(store);
  home.tick(now.at);
  broker.handlers.get('homeassistant/status')?.('homeassistant/status', Buffer.from('offline'));
  home.tick(now.at);
  t.equal(broker.at(config).length, 1);
  broker.handlers.get('homeassistant/status')?.('homeassistant/status', Buffer.from('online'));
  home.tick(now.at);
  t.equal(broker.at(config).length, 2);
  t.equal(broker.at(stateTopic).length, 2);
  broker.connected = false;
  broker.up?.();
  home.tick(now.at);
  broker.connected = true;
  home.tick(now.at);
  t.equal(broker.at(config).length, 3, 'what the broker did not take is said again');
  store.forget('yard-1');
  t.equal(broker.at(config).at(-1), '');
  t.equal(broker.at(stateTopic).at(-1), '');
  home.tick(now.at);
  t.equal(broker.at(config).at(-1), '', 'and stays away');
  store.forget('never-heard-of');
  t.equal(broker.at('homeassistant/device/site-deepcod_never-heard-of/config').at(-1), '');
});

t.test('many cameras are announced over several ticks', async (t) => {
  const { now, broker, home, store } = start(t);
  for (let i = 0; i < 50; i++) hello(store, `cam-${i}`);
  home.tick(now.at);
  const announced = (): number =>
    new Set(broker.all.map(({ topic }) => topic).filter((topic) => topic.endsWith('/config'))).size;
  t.equal(announced(), 20);
  home.tick(now.at);
  home.tick(now.at);
  t.equal(announced(), 50);
});

t.test('keys are safe in templates, and each is there once', async (t) => {
  const keys = keyed(classes).map(({ key }) => key);
  t.equal(new Set(keys).size, classes.length);
  t.ok(
    keys.every((key) => /^[a-z0-9_]+$/.test(key)),
    keys.join(' '),
  );
  t.same(
    keyed(['ÄÖ', 'äö', '']).map(({ key }) => key),
    ['class_0', 'class_1', 'class_2'],
  );
});

/** All kinds of cameras, each with its states. */
function cases(t: Test): { document: DiscoveryDocument; states: object[] }[] {
  const { now, broker, home, store } = start(t);
  hello(store);
  home.tick(now.at);
  const bare = { document: last<DiscoveryDocument>(broker, config), states: [last<object>(broker, stateTopic)] };
  health(store, machine);
  seen(store, [detection("worker's bag", 0.9), detection('head', 0.9), detection('items', 0.5)]);
  store.onSnapshot('yard-1', {
    session: 1,
    frame: 5,
    type: 'image/jpeg',
    data: Buffer.from('x'),
    width: 1,
    height: 1,
    from: 'input',
  });
  home.tick(now.at);
  const full = { document: last<DiscoveryDocument>(broker, config), states: [last<object>(broker, stateTopic)] };
  hello(store, 'yard-1', false);
  home.tick(now.at);
  const less = { document: JSON.parse(broker.at(config).at(-2) as string) as DiscoveryDocument, states: [] };
  return [bare, full, less];
}

t.test(`documents hold to the names of Home Assistant ${known.version}`, async (t) => {
  const full = (key: string): string => known.abbreviations[key] ?? key;
  for (const { document } of cases(t)) {
    for (const key of Object.keys(document)) t.ok(known.document_keys.includes(full(key)), `document: ${key}`);
    for (const key of Object.keys(document.dev)) t.ok(key in known.device_abbreviations, `dev: ${key}`);
    for (const key of Object.keys(document.o)) t.ok(key in known.origin_abbreviations, `o: ${key}`);
    for (const [name, { p, ...component }] of Object.entries(document.cmps)) {
      const keys = known.platform_keys[p];
      for (const key of Object.keys(component)) t.ok(keys?.includes(full(key)), `${name}: ${p} knows ${key}`);
      const { dev_cla: kind, unit_of_meas: unit } = component as { dev_cla?: string; unit_of_meas?: string };
      if (p === 'sensor' && kind)
        t.ok(known.sensor_units[kind]?.includes(unit ?? ''), `${name}: ${unit} is a unit of ${kind}`);
      if (p === 'binary_sensor' && kind) t.ok(known.binary_sensor_classes.includes(kind), `${name}: ${kind}`);
    }
  }
});

const python = process.env.HOMEASSISTANT_PYTHON;
const why = 'HOMEASSISTANT_PYTHON is not set: Home Assistant’s own code was not asked, only the names recorded from it';
if (!python) t.comment(why);
t.test('Home Assistant’s own schemas and templates take them', { skip: python ? false : why }, async (t) => {
  const script = join(packageRoot(), 'test/fixtures/home_assistant.py');
  const input = JSON.stringify({ cases: cases(t) });
  const answer = JSON.parse(execFileSync(python as string, [script, 'check'], { input, encoding: 'utf8' })) as {
    entities: Record<string, { value: string; command?: object }[]>[];
  };
  const [bare, full, less] = answer.entities;
  t.match(bare.latency, [{ value: 'None' }], 'not known yet: unknown');
  t.match(full, {
    ...{ latency: [{ value: '81' }], occupancy: [{ value: 'ON' }], no_helmet: [{ value: 'ON' }] },
    ...{ count_items: [{ value: '1' }], count_worker_s_bag: [{ value: '1' }], count_person: [{ value: '0' }] },
    ...{ temperature: [{ value: '61.5' }], connectivity: [{ value: 'ON' }], frame_size: [{ value: '4.3' }] },
    ...{ choice: [{ command: { partition: 'device' } }], version: [{ value: '0.1.0' }] },
  });
  t.equal(less.choice as unknown, 'removed');
});
