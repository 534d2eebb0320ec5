import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { realDisk } from '../../agent/update/disk.js';
import { NotNow, Refused } from '../../agent/update/errors.js';
import { PROBATION_FRAMES } from '../../agent/update/probation.js';
import { CHUNK_BYTES } from '../../protocol/update.js';
import { configRelease } from '../../scripts/commands/update/make-release.js';
import { Device, newKey, terms, world } from './world.js';

const KEEP = PROBATION_FRAMES;
const weightsOf = (edge: { asked: { of: string; at: number; file: string }[] }) =>
  edge.asked.filter(({ of, at }) => of === 'data' && at > 0).length;

t.test('from offer to keep: fetched, tried, gone over to, watched', async (t) => {
  const { root, edge, release } = await world(t);
  const { id, release: first } = await release(1);
  const tried: string[] = [];
  const device = await Device.start(root, edge, { selfTest: async (folder) => void tried.push(folder) });
  t.match(device.status, { state: 'idle', sequences: { bundle: 0, config: 0 }, keys: [first.key] });
  const before = device.host.bundle.id;
  device.host.serve(before, id);
  device.updater.start();
  device.fly(50);
  device.offer(first);
  await device.reaches('probation');
  t.equal(device.host.bundle.id, id);
  t.same(tried, [join(root, 'update/bundles', id)]);
  const fetched = edge.asked.filter(({ of, at }) => of === 'data' && at === 0).length;
  t.equal(fetched, 2, 'the manifest and the weights: all else is in the bundle that runs');
  device.fly(KEEP);
  await device.reaches('kept');
  t.same(device.states(), ['fetching', 'verifying', 'switching', 'probation', 'kept']);
  t.match(device.status, { running: id, release: { sequence: 1, bundle: id }, sequences: { bundle: 1 } });
  await device.updater.stop();
  t.same(readdirSync(join(root, 'update/bundles')), [id]);
  t.same(readdirSync(join(root, 'update/files')), [], 'nothing is left of the fetch');

  const again = await Device.start(root, edge);
  t.equal(again.host.bundle.id, id, 'the next start begins with it');
  t.match(again.status, { state: 'kept', running: id });
  again.updater.start();
  again.offer(first);
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.match(again.status, { state: 'kept' }, 'the same offer again is nothing');
  await again.updater.stop();
});

t.test('releases that are not to be believed change nothing', async (t) => {
  const { root, edge, release } = await world(t);
  const { id, release: good } = await release(5);
  const stranger = await release(6, {}, {}, newKey());
  const device = await Device.start(root, edge);
  device.host.serve(id, stranger.id);
  device.updater.start();
  device.offer({ ...good, signature: 'A'.repeat(86) });
  await device.reaches('refused', 'bad_signature');
  device.offer(stranger.release);
  await device.reaches('refused', 'unknown_key');
  t.equal(edge.asked.length, 0, 'nothing is fetched of them');
  device.offer(good);
  await device.reaches('probation');
  device.fly(KEEP);
  await device.reaches('kept');
  const old = await release(4);
  device.offer(old.release);
  await device.reaches('refused', 'older');
  const back = await release(3, {}, { allowOlder: true, created: new Date('2026-06-01') });
  device.host.serve(id, back.id);
  device.offer(good, back.release);
  await device.reaches('probation');
  t.equal(device.host.bundle.id, back.id, 'unless the signed release says so');
  t.equal(device.status.previous, id);
  device.fly(KEEP);
  await device.reaches('kept');
  device.offer(good);
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.equal(device.host.bundle.id, back.id, 'and what was before cannot be played again');
  await device.updater.stop();
});

t.test('tampered and truncated pieces are found at once, and fetched again', async (t) => {
  const { root, edge, release } = await world(t);
  const { id, release: first } = await release(1);
  const spoilt = new Set<number>();
  edge.spoil = (_, data, ordinal) => {
    if (ordinal % 4 !== 2) return data;
    spoilt.add(ordinal);
    if (ordinal % 8 === 2) return data.subarray(0, data.length - 1);
    data[data.length >> 1] ^= 1;
    return data;
  };
  const device = await Device.start(root, edge);
  device.host.serve(id);
  device.updater.start();
  device.offer(first);
  await device.reaches('probation');
  t.ok(spoilt.size >= 2);
  t.ok(edge.asked.length <= 9 + 2 * spoilt.size + 1, `${edge.asked.length} pieces: one more for each spoilt one`);
  await device.updater.stop();
});

t.test('an edge that sends nothing but wrong bytes: another one, or it waits', async (t) => {
  const { root, edge, release } = await world(t);
  const { id, release: first } = await release(1);
  edge.spoil = (piece, data) => (piece.edge === 'liar' ? Buffer.alloc(data.length) : data);
  const device = await Device.start(root, edge);
  device.host.serve(id);
  device.host.edges.byName.set('liar', { online: true });
  device.updater.offered('liar', Buffer.from(JSON.stringify({ v: 1, releases: [first] })));
  device.updater.start();
  await device.reaches('waiting', 'bad_data');
  t.same(
    readdirSync(join(root, 'update/files')).length,
    4,
    'but for what this device had anyway, nothing of it is taken',
  );
  device.offer(first);
  await device.reaches('probation');
  t.equal(device.host.bundle.id, id);
  await device.updater.stop();
});

t.test('an edge that goes, a broker that goes: it waits, and goes on where it was', async (t) => {
  const { root, edge, release } = await world(t);
  const { id, release: first } = await release(1, { weights: 40 * CHUNK_BYTES });
  let code = '';
  let refused = 0;
  edge.spoil = (_, data, ordinal) => {
    if (ordinal < 20 || code === '') return data;
    refused++;
    throw new NotNow(code, 'gone');
  };
  const device = await Device.start(root, edge);
  device.host.serve(id);
  device.updater.start();
  for (const gone of ['edge_gone', 'broker_gone']) {
    code = gone;
    device.offer(first);
    await device.reaches('waiting', gone);
  }
  device.host.edges.byName.clear();
  await device.updater.stop();
  const asked = edge.asked.length;

  const again = await Device.start(root, edge);
  code = '';
  again.offer(first);
  again.updater.start();
  await again.reaches('waiting', 'edge_gone');
  t.equal(edge.asked.length, asked, 'nobody is asked while no edge is there');
  again.host.serve(id);
  again.updater.poke();
  await again.reaches('probation');
  const more = weightsOf(edge) - refused;
  t.ok(more >= 39 && more <= 39 + 12, `${more} pieces in all: what was there was not fetched again`);
  await again.updater.stop();
});

t.test('a disk that is full: it waits; what is too large is refused', async (t) => {
  const { root, edge, release } = await world(t);
  const { id, release: first } = await release(1);
  let full = true;
  const disk = {
    ...realDisk,
    writeAt: async (path: string, bytes: Uint8Array, at: number) => {
      if (full && at >= 3 * CHUNK_BYTES) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
      await realDisk.writeAt(path, bytes, at);
    },
  };
  const device = await Device.start(root, edge, { disk });
  device.host.serve(id);
  device.updater.start();
  device.offer(first);
  await device.reaches('waiting', 'disk_full');
  full = false;
  device.updater.poke();
  await device.reaches('probation');
  device.fly(KEEP);
  await device.reaches('kept');
  const large = await release(2, { weights: 3 * 2 ** 20 });
  await device.updater.stop();
  const settings = { update: { keys: join(root, 'keys'), folder: join(root, 'update'), megabytes: 2 } };
  const small = await Device.start(root, edge, { settings });
  small.host.serve(id, large.id);
  small.updater.start();
  const asked = edge.asked.length;
  small.offer(large.release);
  await small.reaches('refused', 'too_large');
  t.equal(edge.asked.length, asked, 'nothing was fetched');
  await small.updater.stop();
  const larger = await Device.start(root, edge);
  larger.host.serve(id, large.id);
  larger.offer(large.release);
  larger.updater.start();
  await larger.reaches('probation');
  await larger.updater.stop();
});

t.test('two releases in a row: the newest wins, whatever is under way', async (t) => {
  const { root, edge, release } = await world(t);
  const first = await release(1, { weights: 30 * CHUNK_BYTES });
  const second = await release(2);
  let device: Device | undefined;
  edge.spoil = (_, data, ordinal) => {
    if (ordinal === 12) device?.offer(first.release, second.release);
    return data;
  };
  device = await Device.start(root, edge);
  device.host.serve(first.id, second.id);
  device.updater.start();
  device.offer(first.release);
  await device.reaches('probation');
  t.equal(device.host.bundle.id, second.id);
  t.same(device.host.changes, [second.id]);
  const third = await release(3);
  device.host.serve(second.id, third.id);
  device.offer(third.release);
  device.fly(KEEP);
  await device.until(({ state, release }) => state === 'probation' && release?.sequence === 3, 'the third');
  device.fly(KEEP);
  await device.until(({ state, release }) => state === 'kept' && release?.sequence === 3, 'the third to be kept');
  t.same(readdirSync(join(root, 'update/bundles')).sort(), [second.id, third.id].sort(), 'the one before stays');
  await device.updater.stop();
});

t.test('a bundle that fails its test, or cannot be gone over to, is not tried again', async (t) => {
  const { root, edge, release } = await world(t);
  const bad = await release(1);
  const device = await Device.start(root, edge, {
    selfTest: async () => {
      throw new Refused('self_test', 'ended by SIGSEGV');
    },
  });
  const before = device.host.bundle.id;
  device.host.serve(before, bad.id);
  device.updater.start();
  device.offer(bad.release);
  await device.reaches('refused', 'self_test');
  t.equal(device.host.bundle.id, before);
  t.notOk(existsSync(join(root, 'update/bundles', bad.id)), 'it is gone from the disk');
  await device.updater.stop();

  const again = await Device.start(root, edge);
  const asked = edge.asked.length;
  again.offer(bad.release);
  again.updater.start();
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.equal(edge.asked.length, asked, 'nor after a restart');
  const unfit = await release(2);
  again.host.serve(unfit.id);
  again.host.onChange = () => {
    throw Object.assign(new Error('there is no partition point stage9'), { code: 'partition_unknown' });
  };
  again.offer(unfit.release);
  await again.reaches('rolled_back', 'partition_unknown');
  t.equal(again.host.bundle.id, before);
  await again.updater.stop();
  t.equal((await Device.start(root, edge)).host.bundle.id, before);
});

const worse: [string, string, (device: Device) => void][] = [
  ['frames fail', 'frames_fail', (device) => device.fly(3, { outcome: 'failed' })],
  [
    'no edge takes them',
    'unknown_bundle',
    (device) => device.fly(3, { outcome: 'refused', refusal: 'unknown_bundle' }),
  ],
  ['no results come', 'no_results', (device) => device.fly(10, { outcome: 'timeout' })],
  [
    'fewer results',
    'fewer_results',
    (device) => {
      for (let i = 0; i < KEEP / 3; i++) {
        device.fly(2);
        device.fly(1, { outcome: 'timeout' });
      }
    },
  ],
  ['far slower', 'slower', (device) => device.fly(KEEP, { totalMs: 400 })],
  ['nothing is found', 'finds_nothing', (device) => device.fly(KEEP, { detections: [] })],
];
const someone = [{ class: 0, label: 'red', score: 0.9, box: [0, 0, 1, 1] as [number, number, number, number] }];

for (const [what, code, frames] of worse) {
  t.test(`worse than before (${what}): back by itself, and it says why`, async (t) => {
    const { root, edge, release } = await world(t);
    const { id, release: bad } = await release(1);
    const device = await Device.start(root, edge);
    const before = device.host.bundle.id;
    device.host.serve(before, id);
    device.updater.start();
    device.fly(50, { detections: someone });
    device.offer(bad);
    await device.reaches('probation');
    device.fly(5, { outcome: 'broker_lost' });
    t.equal(device.status.state, 'probation', 'what is not its fault does not count');
    frames(device);
    await device.reaches('rolled_back', code);
    t.equal(device.host.bundle.id, before);
    t.match(device.status, { running: before, reason: { message: String }, release: { bundle: id } });
    device.offer(bad);
    device.fly(KEEP);
    await new Promise((resolve) => setTimeout(resolve, 30));
    t.same(device.host.changes, [id, before], 'it is not tried again');
    await device.updater.stop();
    t.notOk(existsSync(join(root, 'update/bundles', id)));
    const next = await release(2);
    const again = await Device.start(root, edge);
    t.equal(again.host.bundle.id, before);
    t.match(again.status, { state: 'rolled_back', reason: { code } }, 'the next start still says so');
    again.host.serve(next.id);
    again.offer(next.release);
    again.updater.start();
    await again.reaches('probation');
    await again.updater.stop();
  });
}

t.test('as good as before: kept, with frames that vary', async (t) => {
  const { root, edge, release } = await world(t);
  const { id, release: good } = await release(1);
  const device = await Device.start(root, edge);
  device.host.serve(id);
  device.updater.start();
  for (let i = 0; i < 50; i++) device.fly(1, { totalMs: 40 + (i % 7) * 10, detections: i % 3 ? someone : [] });
  device.offer(good);
  await device.reaches('probation');
  device.fly(4, { totalMs: 3000 });
  device.fly(2, { outcome: 'timeout' });
  for (let i = 0; i < KEEP; i++) device.fly(1, { totalMs: 60 + (i % 9) * 10, detections: i % 5 ? [] : someone });
  await device.reaches('kept');
  await device.updater.stop();
});

t.test('no edge that serves it: it waits; alone, the device goes over by itself', async (t) => {
  const { root, edge, release } = await world(t);
  const { id, release: first } = await release(1);
  const device = await Device.start(root, edge);
  const before = device.host.bundle.id;
  device.host.serve(before);
  device.updater.start();
  device.offer(first);
  await device.reaches('waiting', 'edge_lacks');
  await new Promise((resolve) => setTimeout(resolve, 30));
  t.equal(device.host.bundle.id, before);
  device.host.serve(before, id);
  device.updater.poke();
  await device.reaches('probation');
  await device.updater.stop();

  const alone = await world(t);
  const { id: other, release: there } = await alone.release(1);
  const second = await Device.start(alone.root, alone.edge, { settings: { partition: 'device' } });
  second.host.serve();
  second.offer(there);
  second.updater.start();
  await second.reaches('probation');
  t.equal(second.host.bundle.id, other);
  await second.updater.stop();
});

t.test('on probation over restarts: it goes on, but not for ever', async (t) => {
  const { root, edge, release } = await world(t);
  const { id, release: first } = await release(1);
  const device = await Device.start(root, edge);
  const before = device.host.bundle.id;
  device.host.serve(id);
  device.updater.start();
  device.fly(30, { detections: someone });
  device.offer(first);
  await device.reaches('probation');
  await device.updater.stop();
  for (let start = 1; start <= 3; start++) {
    const again = await Device.start(root, edge);
    t.equal(again.host.bundle.id, id);
    again.updater.start();
    await again.reaches('probation');
    await again.updater.stop();
  }
  const back = await Device.start(root, edge);
  t.equal(back.host.bundle.id, before, 'a bundle with which the agent ends again and again');
  t.match(back.status, { state: 'rolled_back', reason: { code: 'ends_early' } });
});

t.test('a bundle that the disk has lost: the one before runs, and the release may come again', async (t) => {
  const { root, edge, release } = await world(t);
  const { id, release: first } = await release(1);
  const device = await Device.start(root, edge);
  const before = device.host.bundle.id;
  device.host.serve(before, id);
  device.updater.start();
  device.offer(first);
  await device.reaches('probation');
  device.fly(KEEP);
  await device.reaches('kept');
  await device.updater.stop();
  await realDisk.truncate(join(root, 'update/bundles', id, 'weights.bin'), 1000);
  const again = await Device.start(root, edge);
  t.equal(again.host.bundle.id, before);
  again.host.serve(before, id);
  again.offer(first);
  again.updater.start();
  await again.reaches('probation');
  t.equal(again.host.bundle.id, id);
  await again.updater.stop();
});

t.test('a state that cannot be read: what agent.yaml says runs', async (t) => {
  const { root, edge, release } = await world(t);
  const { id, release: first } = await release(1);
  const device = await Device.start(root, edge);
  const before = device.host.bundle.id;
  device.host.serve(id);
  device.updater.start();
  device.offer(first);
  await device.reaches('probation');
  await device.updater.stop();
  await realDisk.write(join(root, 'update/state.json'), Buffer.from('{"v":1,"bundle":'));
  const again = await Device.start(root, edge);
  t.equal(again.host.bundle.id, before);
  t.ok(again.events.some(({ level, message }) => level === 'error' && /cannot be read/.test(message)));
});

t.test('settings: those that may change, checked as a whole, and back when they do harm', async (t) => {
  const { root, key, edge } = await world(t);
  const device = await Device.start(root, edge);
  device.updater.start();
  device.fly(50, { detections: someone });
  const change = (sequence: number, config: object) =>
    configRelease(config as Record<string, unknown>, terms(sequence), key);
  for (const [sequence, config, code] of [
    [1, { broker: { url: 'mqtt://evil' } }, 'key_not_allowed'],
    [2, { update: { keys: '/tmp' } }, 'key_not_allowed'],
    [3, { camera: { fps: 10, source: 'replay' } }, 'key_not_allowed'],
    [4, JSON.parse('{"__proto__":{"fps":3}}'), 'key_not_allowed'],
    [5, { camera: { fps: 1e9 } }, 'config_invalid'],
    [6, { partition: 7 }, 'config_invalid'],
  ] as [number, object, string][]) {
    device.offer(change(sequence, config));
    await device.until((status) => status.release?.sequence === sequence && status.state === 'refused', `${sequence}`);
    t.equal(device.status.reason?.code, code);
  }
  t.equal(device.host.config.camera.fps, 5);
  device.offer(change(7, { camera: { fps: 10 }, accuracy_floor: 0.9, health: { interval_s: 1 } }));
  await device.reaches('probation');
  t.match(device.host.config, {
    camera: { fps: 10, source: 'simulated' },
    accuracy_floor: 0.9,
    health: { interval_s: 1 },
  });
  device.fly(KEEP, { detections: someone });
  await device.reaches('kept');
  device.offer(change(8, { timeout_ms: 50 }));
  await device.until((status) => status.state === 'probation' && status.release?.sequence === 8, 'the next');
  t.match(
    device.host.config,
    { timeout_ms: 50, camera: { fps: 5 } },
    'a release says all that differs from agent.yaml',
  );
  device.fly(10, { outcome: 'timeout' });
  await device.reaches('rolled_back', 'no_results');
  t.match(device.host.config, { timeout_ms: 2000, camera: { fps: 10 } });
  await device.updater.stop();
  const again = await Device.start(root, edge, { settings: { camera: { fps: 2 }, timeout_ms: 3000 } });
  t.match(again.host.config, { timeout_ms: 3000, camera: { fps: 10 }, accuracy_floor: 0.9 }, 'above agent.yaml');
});

t.test('without keys there are no updates', async (t) => {
  const { root, edge } = await world(t);
  await t.rejects(Device.start(root, edge, { settings: { update: {} } }), { message: 'no updates' });
  await t.rejects(Device.start(root, edge, { settings: { update: { keys: join(root, 'keys') } } }), {
    code: 'update_folder',
  });
});
