import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { boardPower } from '../../agent/partition/energy.js';
import { Planner, type PlannerSettings } from '../../agent/partition/planner.js';
import { inBrief } from '../../agent/partition/trace.js';
import { newTrip, type Trip } from '../../agent/pipeline/trip.js';
import { defaultManifest, SETTINGS } from '../../bench/simulator/compare.js';
import { parseDecisions } from '../../protocol/decision.js';
import type { Manifest } from '../../protocol/manifest.js';

const manifest: Manifest = defaultManifest();

function planning(change: Partial<PlannerSettings> = {}) {
  const clock = { ms: 0 };
  const planner = new Planner(
    manifest,
    { ...SETTINGS, ...change },
    () => true,
    () => clock.ms,
    () => 1_700_000_000_000 + clock.ms,
  );
  const trip = (frame: number, change: Partial<Trip>): Trip => ({
    ...newTrip(frame, {} as never, clock.ms),
    ...change,
  });
  return { clock, planner, trip };
}

/** Times at which the edge is the place to be. */
const profile = {
  fingerprint: 'x',
  device_ms: { input: 10, stage1: 60, stage2: 130, device: 340 },
  edge_ms: { input: 10, stage1: 8, stage2: 7 },
};

t.test('a decision says why, and what the others would have cost', async (t) => {
  const { planner } = planning();
  planner.useProfile(profile);
  const { choice, reason } = planner.decide(7, 'use');
  t.equal(reason, 'first');
  const decision = planner.trace.latest;
  t.match(decision, {
    frame: 7,
    at: 1_700_000_000_000,
    partition: choice.id,
    rate: choice.rate,
    why: /input at rate \d is expected to be fastest to begin with \(\d+ ms\); .* would take \d+ ms/,
    link: { base_ms: 10, mbps: 10, transfers: 0 },
    device_slowdown: 1,
    edge_slowdown: 1,
    edge_queue_ms: 0,
  });
  t.equal(decision?.options.length, planner.choices.length);
  const best = Math.min(...(decision?.options ?? []).map(({ cost_ms }) => cost_ms));
  const own = decision?.options.find(({ partition, rate }) => partition === choice.id && rate === choice.rate);
  t.equal(own?.cost_ms, best);
  const { total_ms = 0, device_ms = 0, link_ms = 0, edge_ms = 0 } = own ?? {};
  t.ok(total_ms > 0 && Math.abs(total_ms - device_ms - link_ms - edge_ms) < 0.01);
  const text = JSON.stringify({ v: 1, device: 'yard', session: 1, decisions: planner.trace.last(5) });
  t.equal(parseDecisions(Buffer.from(text)).decisions.length, 1, 'it is a message');
});

t.test('the last 200 decisions are kept', async (t) => {
  const { planner, clock } = planning();
  for (let i = 0; i < 500; i++, clock.ms += 200) {
    planner.decide(i, 'use');
    planner.learn({ ...newTrip(i, {} as never, clock.ms), outcome: 'failed' });
  }
  t.equal(planner.trace.last(1000).length, 200);
  t.equal(planner.trace.last(1000)[0].frame, 300);
  t.same(
    planner.trace.last(2).map(({ frame }) => frame),
    [498, 499],
  );
  t.same(planner.trace.last(0), []);
});

t.test('a health message holds the chosen and the cheapest of very many options', async (t) => {
  const { planner } = planning();
  const { decision } = planner.decide(0, 'use');
  t.equal(inBrief(decision), decision);
  const [first] = decision.options;
  const many = Array.from({ length: 300 }, (_, i) => ({ ...first, rate: i % 256, cost_ms: 1000 - i }));
  const brief = inBrief({ ...decision, partition: first.partition, rate: 3, options: many });
  t.equal(brief.options.length, 40);
  t.ok(brief.options.some(({ rate }) => rate === 3));
  t.ok(brief.options.some(({ cost_ms }) => cost_ms === 701));
});

t.test('no edge: the device, if the settings allow it; a trial says so', async (t) => {
  const { planner } = planning();
  planner.useProfile(profile);
  t.match(planner.decide(0, 'avoid'), { choice: { id: 'device' }, reason: 'no_edge' });
  t.ok(planner.staysHere('avoid'));
  t.match(planner.decide(1, 'try'), { choice: { id: 'input' }, reason: 'try_edge' });
  t.match(planner.trace.latest?.why, /to see whether it answers again/);
  const { planner: stubborn } = planning({ fallback: false, partition: 'stage1' });
  t.match(stubborn.decide(0, 'avoid'), { choice: { id: 'stage1' } });
  const { planner: fixed } = planning({ partition: 'stage1', rate: 2 });
  t.match(fixed.decide(0, 'use'), { choice: { id: 'stage1', rate: 2 }, reason: 'only' });
  t.match(
    fixed.decide(1, 'avoid'),
    { choice: { id: 'device' }, reason: 'no_edge' },
    'though it is no choice of its own',
  );
});

t.test('what the edge says of itself is believed until frames tell', async (t) => {
  const { planner, trip, clock } = planning();
  const edgeOf = (id: string) => planner.explain().find(({ choice }) => choice.id === id)?.edge as number;
  const status = (mean: number, queue?: number) => ({
    online: true,
    tails_ms: { abc: { stage1: [{ batch: 1, mean, deviation: 1 }] } },
    ...(queue !== undefined && { steps_ms: { queue } }),
  });
  planner.useEdges([status(50)], 'another bundle');
  t.not(edgeOf('stage1'), 50);
  planner.useEdges([status(50)], 'abc');
  t.equal(edgeOf('stage1'), 50);
  planner.useEdges([status(50, 30)], 'abc');
  t.equal(edgeOf('stage1'), 80, 'and how long others wait there');
  planner.useEdges([{ ...status(50, 30), load: 0.01 }], 'abc');
  t.equal(edgeOf('stage1'), 50, 'nobody waits at an idle one, whatever was');
  planner.useEdges([status(40, 20), status(60, 10)], 'abc');
  t.equal(edgeOf('stage1'), 65, 'of several, on the average');
  planner.useEdges([], 'abc');
  t.equal(edgeOf('stage1'), 50, 'those that are gone make nobody wait');
  for (let i = 0; i < 20; i++, clock.ms += 200) {
    const { choice } = planner.decide(i, 'use');
    const steps = { head: 5, up: 3, down: 1, queue: 2 };
    planner.learn(
      trip(i, { steps, outcome: 'result', bytes: 1000, answerBytes: 500, edgeMs: 22, partition: choice.id }),
    );
  }
  planner.useEdges([status(500, 300)], 'abc');
  const { choice } = planner.decide(100, 'use');
  t.ok(edgeOf(choice.id) < 30, 'frames have told');
});

t.test('a frame that is stuck moves the next one to the device, and one that comes back moves it back', async (t) => {
  const { planner, trip, clock } = planning();
  planner.useProfile(profile);
  const steps = { head: 10, up: 20, down: 5, queue: 0 };
  let frame = 0;
  for (; frame < 30; frame++, clock.ms += 200) {
    planner.decide(frame, 'use');
    planner.learn(trip(frame, { steps, outcome: 'result', bytes: 900, answerBytes: 500, edgeMs: 10 }));
  }
  t.notOk(planner.staysHere('use'));
  planner.decide(frame, 'use');
  clock.ms += 700;
  t.equal(planner.away, 1);
  t.ok(planner.staysHere('use'), 'it should have been back');
  t.match(planner.decide(frame + 1, 'use'), { choice: { id: 'device' }, reason: 'better' });
  planner.learn(trip(frame, { outcome: 'timeout', waitedMs: 2000, bytes: 900 }));
  planner.pings.sent();
  clock.ms += 20;
  planner.pinged();
  t.match(
    planner.decide(frame + 2, 'use'),
    { choice: { id: 'input' }, reason: 'better' },
    'a ping that comes back is enough',
  );
});

t.test('an edge that is overloaded is one where frames wait', async (t) => {
  const { planner, trip, clock } = planning();
  planner.useProfile(profile);
  for (let i = 0; i < 6; i++, clock.ms += 400) {
    const { choice } = planner.decide(i, 'use');
    if (choice.id === 'device') break;
    planner.learn(trip(i, { outcome: 'refused', refusal: 'overloaded', waitedMs: 900, bytes: 1000 }));
  }
  t.equal(planner.decide(10, 'use').choice.id, 'device', 'the device is faster than waiting there');
  clock.ms += 30_000;
  t.equal(planner.explain().find(({ choice }) => choice.id === 'input')?.edge, 10, 'that is forgotten');
});

t.test(
  'a frame that is stuck moves nothing to a device that is slower still, and lets no more frames out',
  async (t) => {
    const { planner, clock } = planning();
    planner.useProfile({ ...profile, device_ms: { ...profile.device_ms, device: 20_000 } });
    planner.decide(0, 'use');
    clock.ms += 900;
    t.notOk(planner.staysHere('use'), 'the edge is the place to be all the same');
  },
);

t.test('a trial that is lost is paid for too', async (t) => {
  const { planner, clock, trip } = planning();
  planner.useProfile({ ...profile, device_ms: { ...profile.device_ms, device: 30 } });
  let trials = 0;
  for (let i = 0; i < 2000; i++, clock.ms += 250) {
    const { reason, choice } = planner.decide(i, 'use');
    const here = choice.id === 'device';
    if (reason === 'probe') trials++;
    planner.learn(trip(i, here ? { outcome: 'local', steps: { head: 30 } } : { outcome: 'timeout', waitedMs: 2000 }));
  }
  t.ok(trials * 2000 < 0.05 * 2000 * 30 + 4000, `${trials} trials of 2 s each among 2000 frames of 30 ms`);
});

t.test('pings go out only while nothing else tells how the link is, and each is told from others', async (t) => {
  const { planner, clock } = planning();
  t.ok(planner.pingDue, 'before the first frame');
  planner.pings.sent(7);
  clock.ms += 50;
  planner.pinged(8);
  t.equal(planner.link.transfers, 0, 'another one');
  planner.pinged(7);
  t.equal(planner.link.transfers, 1);
  planner.useProfile(profile);
  planner.decide(0, 'use');
  clock.ms += 60;
  planner.learn({ ...newTrip(0, {} as never, 0), outcome: 'failed' });
  clock.ms += 5000;
  t.notOk(planner.pingDue, 'frames go to the edge');
  const { planner: alone, clock: later } = planning();
  alone.pings.sent(1);
  later.ms += 3000;
  alone.checkPing();
  t.ok(alone.link.estimate(2048) < 1000, 'a broker that lets no ping through says nothing about the link');
  const { planner: fixed } = planning({ partition: 'stage1', rate: 2 });
  t.notOk(fixed.pingDue, 'nothing to decide');
});

t.test('the figures of a board', async (t) => {
  const file = join(t.testdir(), 'model');
  writeFileSync(file, 'Raspberry Pi 4 Model B Rev 1.5\0');
  t.match(boardPower(file), { idle_w: Number, busy_w: Number, send_w: Number });
  writeFileSync(file, 'Another board\0');
  t.equal(boardPower(file), undefined);
  t.equal(boardPower(join(t.testdir(), 'none')), undefined);
});

t.test('a command fixes the point until another comes; one that cannot be followed changes nothing', async (t) => {
  const { planner } = planning();
  planner.useProfile(profile);
  const all = planner.choices;
  planner.command({ partition: 'stage2', rate: 0 });
  t.match(planner.decide(1, 'use'), { choice: { id: 'stage2', rate: 0 }, reason: 'only' });
  t.throws(() => planner.command({ partition: 'nowhere' }), { code: 'partition_unknown' });
  t.throws(() => planner.command({ partition: 'stage2', rate: 99 }), { code: 'rate_unknown' });
  t.match(planner.decide(2, 'use').choice, { id: 'stage2' });
  planner.command({ partition: 'device' });
  t.ok(planner.staysHere('use'));
  planner.command({ partition: 'auto' });
  t.equal(planner.choices, all);
  t.equal(planner.decide(3, 'use').reason, 'first');
});

t.test('no command leads to a point that privacy forbids', async (t) => {
  const secret = {
    ...manifest,
    partitions: manifest.partitions.map((p, i) => ({ ...p, reveals: i === 0 ? 0.9 : 0.2 })),
  };
  const planner = new Planner(secret, { ...SETTINGS, privacy: { max_reveals: 0.5 } });
  t.throws(() => planner.command({ partition: secret.partitions[0].id }), { code: 'partition_forbidden' });
  t.throws(() => planner.command({ partition: 'raw' }), { code: 'partition_forbidden' });
});
