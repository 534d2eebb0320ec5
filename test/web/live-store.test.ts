import t from 'tap';
import { type LiveDevice, LiveStore, type Snapshot } from '../../edge/store/live.js';
import { SeenFrames } from '../../edge/store/seen.js';
import { deviceView } from '../../edge/web/view.js';
import type { Decision } from '../../protocol/decision.js';
import type { FrameResult } from '../../protocol/result.js';

const result = (frame: number, more: Partial<FrameResult> = {}): FrameResult => ({
  v: 1,
  session: 1,
  frame,
  bundle: '0011223344556677',
  partition: 'input',
  rate: 2,
  worker: 'edge-1',
  width: 1280,
  height: 720,
  detections: [
    { class: 1, label: 'helmet', score: 0.9, box: [10, 20, 30, 40] },
    { class: 1, label: 'helmet', score: 0.8, box: [100, 20, 30, 40] },
    { class: 0, label: 'head', score: 0.7, box: [200, 20, 30, 40] },
  ],
  edge_ms: { queue: 1, decode: 2, tail: 30, post: 0.5, total: 34 },
  ...more,
});

const failure = (frame: number, code: string, message = code): Parameters<LiveStore['onResult']>[1] => ({
  v: 1,
  session: 1,
  frame,
  bundle: '0011223344556677',
  worker: 'edge-1',
  error: { code, message, hint: 'do this' },
});

const snapshot = (frame: number, bytes = 100): Snapshot => ({
  session: 1,
  frame,
  type: 'image/jpeg',
  data: new Uint8Array(bytes),
  width: 640,
  height: 360,
  from: 'snapshot',
});

function make(limits: ConstructorParameters<typeof LiveStore>[0] = {}): { store: LiveStore; clock: { now: number } } {
  const clock = { now: 1_000_000 };
  return { store: new LiveStore(limits, () => clock.now), clock };
}

t.test(
  'a frame and its answer become a trip; device steps come from the health until the device tells them',
  async (t) => {
    const { store } = make();
    store.onHealth('cam', {
      v: 1,
      device: 'cam',
      session: 1,
      uptime_s: 1,
      steps_ms: { capture: 9, head: 6, tail: 99, total: 70 },
    });
    store.onFrame('cam', { session: 1, frame: 4, partition: 'input', rate: 2, bytes: 5000 });
    store.onResult('cam', result(4));
    const device = store.device('cam');
    t.same(device?.counts, { frames: 1, results: 1, failures: 0, bytes: 5000 });
    t.match(device?.trips, [
      {
        frame: 4,
        bytes: 5000,
        exact: false,
        found: { helmet: 2, head: 1 },
        worker: 'edge-1',
        partition: 'input',
        rate: 2,
      },
    ]);
    t.same(device?.trips[0]?.steps, { capture: 9, head: 6, queue: 1, decode: 2, tail: 30, post: 0.5 });

    const before = device?.trips[0]?.sequence as number;
    store.onTrip('cam', {
      session: 1,
      frame: 4,
      partition: 'input',
      rate: 2,
      bytes: 5000,
      steps: { capture: 8, total: 60 },
    });
    t.equal(device?.trips.length, 1, 'the same trip');
    t.match(device?.trips[0], {
      exact: true,
      steps: { capture: 8, total: 60 },
      found: { helmet: 2 },
      worker: 'edge-1',
    });
    t.ok((device?.trips[0]?.sequence as number) > before, 'and it is news');

    store.onTrip('cam', { session: 1, frame: 5, partition: 'input', rate: 2, bytes: 5100, steps: { total: 61 } });
    store.onTrip('cam', { session: 1, frame: 6, partition: 'input', rate: 2, bytes: 9, steps: {}, outcome: 'timeout' });
    t.equal(device?.trips.length, 2, 'a lost frame has no bar');
    store.onResult('cam', result(5), 5100);
    t.match(
      device?.trips[1],
      { exact: true, steps: { total: 61 }, found: { helmet: 2, head: 1 }, bytes: 5100 },
      'in either order',
    );
  },
);

t.test('errors are told once and counted; the newest last', async (t) => {
  const { store, clock } = make({ errors: 3 });
  store.onResult('cam', failure(1, 'unknown_bundle'));
  store.onResult('cam', failure(2, 'overloaded'));
  clock.now += 50;
  store.onResult('cam', failure(3, 'unknown_bundle'));
  t.match(store.device('cam')?.errors, [
    { code: 'overloaded', count: 1 },
    { code: 'unknown_bundle', count: 2, hint: 'do this', at: clock.now },
  ]);
  for (let i = 0; i < 10; i++) store.onResult('cam', failure(i, 'bad_payload', `text ${i}`));
  t.equal(store.device('cam')?.errors.length, 3, 'bounded');
});

t.test('a picture is shown with the boxes of its own frame, whichever comes first', async (t) => {
  const { store, clock } = make();
  store.onSnapshot('cam', snapshot(1));
  store.onSnapshot('cam', snapshot(2));
  store.onResult('cam', result(1));
  const shown = store.device('cam')?.shown(clock.now);
  t.match(shown, { frame: 1, answered: true, width: 1280, snapshot: { frame: 1 } });
  t.equal(shown?.detections.length, 3);
  store.onResult('cam', result(3));
  t.equal(store.device('cam')?.shown(clock.now)?.frame, 1, 'an answer without its picture waits');
  store.onSnapshot('cam', snapshot(3));
  t.match(store.device('cam')?.shown(clock.now), { frame: 3, snapshot: { frame: 3 } });
  store.onResult('cam', result(2));
  t.equal(store.device('cam')?.shown(clock.now)?.frame, 3, 'and nothing goes back in time');
});

t.test('a device without pictures shows its boxes; one without answers its picture', async (t) => {
  const { store, clock } = make();
  store.onResult('features', result(1));
  t.match(store.device('features')?.shown(clock.now), { frame: 1, answered: true, snapshot: undefined });
  store.onSnapshot('mute', snapshot(1));
  t.match(store.device('mute')?.shown(clock.now), { frame: 1, answered: false, detections: [] });

  store.onSnapshot('both', snapshot(1));
  store.onResult('both', result(1));
  store.onSnapshot('both', snapshot(2));
  t.equal(store.device('both')?.shown(clock.now)?.frame, 1, 'no flicker to a picture without boxes');
  clock.now += 5000;
  t.match(store.device('both')?.shown(clock.now), { frame: 2, answered: false }, 'until answers stay away');
});

t.test('away: after a farewell, a last will, or silence; back with anything said', async (t) => {
  const { store, clock } = make();
  store.onStatus('gone', { online: false });
  t.equal(store.device('gone'), undefined, 'a retained farewell of the past is no device');
  store.onStatus('cam', { online: true, bundle: { id: '0011223344556677', name: 'worksite' } });
  const device = store.device('cam');
  t.ok(device?.present(clock.now));
  store.onStatus('cam', { online: false });
  t.notOk(device?.present(clock.now));
  t.equal(device?.status?.bundle?.name, 'worksite', 'what it was stays known');
  store.onFrame('cam', { session: 1, frame: 1, partition: 'input', rate: 0, bytes: 1 });
  t.ok(device?.present(clock.now));
  clock.now += 31_000;
  t.notOk(device?.present(clock.now), 'silent for half a minute');
});

t.test('everything is bounded: devices, trips, frames that wait, pictures, workers', async (t) => {
  const { store, clock } = make({ devices: 10, trips: 7, workers: 3, snapshotBytes: 1000, allSnapshotBytes: 4000 });
  for (let d = 0; d < 50; d++) {
    clock.now++;
    store.onStatus(`cam-${d}`, { online: true });
    if (d === 3) store.onHealth('cam-0', { v: 1, device: 'cam-0', session: 1, uptime_s: 1 });
  }
  t.equal(store.devices().length, 10);
  t.ok(store.device('cam-49') && !store.device('cam-5'), 'the longest silent make room');

  for (let f = 0; f < 500; f++) {
    store.onFrame('cam-49', { session: 1, frame: f, partition: 'input', rate: 0, bytes: 10 });
    store.onResult('cam-49', result(f));
  }
  t.equal(store.device('cam-49')?.trips.length, 7);
  t.equal(store.device('cam-49')?.trips.at(-1)?.frame, 499);

  t.equal(store.onSnapshot('cam-49', snapshot(1, 1001)), false, 'too large a picture is refused');
  for (let d = 40; d < 50; d++) for (let f = 0; f < 8; f++) store.onSnapshot(`cam-${d}`, snapshot(f, 900));
  t.ok(store.snapshotBytes <= 4000, `${store.snapshotBytes} bytes of pictures`);
  t.equal(
    store.snapshotBytes,
    store.devices().reduce((sum, d) => sum + d.snapshotBytes, 0),
    'and they are counted right',
  );
  t.ok((store.device('cam-49')?.snapshotBytes ?? 0) > 0, 'the newest has its picture');

  for (let w = 0; w < 9; w++) store.onEdgeStatus(`edge-${w}`, { online: true });
  t.same(
    store.workers().map((w) => w.name),
    ['edge-6', 'edge-7', 'edge-8'],
  );
});

t.test('one that said goodbye makes room before one that is there', async (t) => {
  const { store } = make({ devices: 3 });
  for (const name of ['a', 'b', 'c']) store.onStatus(name, { online: true });
  store.onStatus('b', { online: false });
  store.onStatus('d', { online: true });
  t.same(
    store.devices().map((d) => d.name),
    ['a', 'c', 'd'],
  );
});

t.test('subscribers hear of every change until they end it', async (t) => {
  const { store } = make();
  let heard = 0;
  t.notOk(store.watched);
  const end = store.subscribe(() => heard++);
  t.ok(store.watched);
  store.onStatus('cam', { online: true });
  store.onEdgeStatus('edge-1', { online: true });
  store.onSnapshot('cam', snapshot(1));
  t.equal(heard, 3);
  const at = store.sequence;
  end();
  store.onStatus('cam', { online: true });
  t.equal(heard, 3);
  t.notOk(store.watched);
  t.ok(store.sequence > at);
});

t.test('a frame counts once, however often its result comes; what is late is not the present', async (t) => {
  const { store, clock } = make();
  const local = { worker: 'cam', partition: 'device', local: true };
  store.onResult('cam', result(9, { ...local, at: clock.now }));
  const late = (frame: number, session = 1) => result(frame, { ...local, session, late: true, at: 5000 + frame });
  for (const frame of [3, 4, 5, 4, 9, 5, 6]) store.onResult('cam', late(frame));
  store.onResult('cam', late(3, 77));
  store.onResult('other', late(3));
  const device = store.device('cam');
  t.equal(device?.counts.results, 6);
  t.same(
    device?.trips.map(({ session, frame, at }) => [session, frame, at]),
    [[1, 9, clock.now], ...[3, 4, 5, 6].map((frame) => [1, frame, 5000 + frame]), [77, 3, 5003]],
  );
  t.match(device?.shown(clock.now), { session: 1, frame: 9 });
  t.equal(store.device('other')?.counts.results, 1);
});

t.test('which frames were answered is remembered in bounded memory', async (t) => {
  const plain = new SeenFrames();
  const model = new Set<number>();
  let state = 7;
  let wrong = 0;
  for (let i = 0; i < 3000; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const frame = (state >>> 8) % 200;
    if (plain.add(1, frame) === model.has(frame)) wrong++;
    model.add(frame);
  }
  t.equal(wrong, 0, 'as a set of all of them would');

  const seen = new SeenFrames();
  // every second frame was lost for an hour
  for (let frame = 0; frame < 20_000; frame += 2) seen.add(1, frame);
  t.notOk(seen.add(1, 19_998));
  t.notOk(seen.add(1, 19_900));
  t.ok(seen.add(1, 19_901), 'a gap that is filled');
  t.ok(seen.add(1, 0), 'long ago: forgotten');
  for (let session = 2; session < 9; session++) t.ok(seen.add(session, 5));
  t.notOk(seen.add(8, 5));
  t.ok(seen.add(1, 19_998), 'sessions of long ago, too');
});

t.test('decisions: the newest whole, the past as reasons, bounded; a page is told each once', async (t) => {
  const { store } = make({ trips: 3 });
  const decision = (frame: number, partition = 'input'): Decision => ({
    ...{ frame, at: 5, partition, rate: 1, reason: 'best', why: `frame ${frame}` },
    link: { base_ms: 10, mbps: 2, harmonic_mbps: 1.5, transfers: 4 },
    ...{ device_slowdown: 1, edge_slowdown: 1, edge_queue_ms: 0 },
    options: [{ partition, rate: 1, bytes: 9, device_ms: 1, link_ms: 2, edge_ms: 3, total_ms: 6, cost_ms: 6 }],
  });
  const health = { v: 1, device: 'cam', session: 7, uptime_s: 1, waiting_results: 4 } as const;
  store.onHealth('cam', { ...health, decision: decision(10) });
  const device = store.device('cam') as LiveDevice;
  const first = deviceView(device, -1, 0);
  t.match(first, {
    health: { waiting_results: 4, session: 7 },
    decision: { session: 7, heard: 1_000_000, ...decision(10) },
    reasons: [{ session: 7, frame: 10, why: 'frame 10' }],
  });
  t.notOk('decision' in (first.health as object), 'sent once, not twice');
  const told = device.sequence;
  store.onHealth('cam', { ...health, decision: decision(10) });
  store.onDecision('cam', 7, decision(9));
  t.match(deviceView(device, told, 0), { decision: undefined, reasons: [] }, 'nothing new');
  for (const frame of [11, 12, 13]) store.onDecision('cam', 7, decision(frame));
  t.same(
    device.reasons.map(({ frame }) => frame),
    [11, 12, 13],
  );
  store.onDecision('cam', 8, decision(0, 'device'));
  t.match(device.decision, { session: 8, frame: 0, partition: 'device' }, 'a new start counts from 0');
});
