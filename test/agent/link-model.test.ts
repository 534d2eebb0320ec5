import t from 'tap';
import { LinkModel } from '../../agent/bandwidth/link-model.js';
import { Pings } from '../../agent/bandwidth/pings.js';
import { Random } from '../../agent/camera/simulated/random.js';

/** A link that takes base + bytes / rate, with up to 10% of noise. */
function link(baseMs: number, mbps: number, seed = 1) {
  const random = new Random(seed);
  return (bytes: number) => (baseMs + (bytes * 8) / (mbps * 1000)) * random.range(0.9, 1.1);
}

function modelOf() {
  const clock = { ms: 0 };
  const model = new LinkModel(10e6, 10, () => clock.ms);
  const send = (take: (bytes: number) => number, ...sizes: number[]) => {
    for (const bytes of sizes) {
      const ms = take(bytes);
      clock.ms += Math.max(200, ms);
      model.add(bytes, ms);
    }
  };
  return { clock, model, send };
}

const within = (value: number, wanted: number, share: number) => Math.abs(value / wanted - 1) <= share;
const mixed = [8000, 1500, 900, 3000, 1200, 900, 8000, 2000, 5000, 900];

t.test('before any transfer: what is assumed; what a profile says instead', async (t) => {
  const { model } = modelOf();
  t.ok(within(model.estimate(12_500), 20, 1e-6), '10 ms and 12.5 KB at 10 Mbit/s');
  model.assume(1e6, 40);
  t.ok(within(model.estimate(12_500), 140, 1e-6));
  t.equal(model.transfers, 0);
});

t.test('delay and rate are told apart', async (t) => {
  for (const [base, mbps] of [
    [2, 0.25],
    [80, 0.25],
    [20, 5],
    [80, 1],
  ]) {
    const { model, send } = modelOf();
    send(link(base, mbps), ...mixed, ...mixed);
    t.ok(within(model.estimate(8000), base + 64 / mbps, 0.12), `${base} ms, ${mbps} Mbit/s: large`);
    t.ok(within(model.estimate(900), base + 7.2 / mbps, 0.15), `${base} ms, ${mbps} Mbit/s: small`);
  }
});

t.test('a new link is followed within ten transfers', async (t) => {
  for (const [before, after] of [
    [link(5, 10), link(30, 0.3)],
    [link(30, 0.3), link(5, 10)],
    [link(5, 20), link(200, 20)],
  ]) {
    const { model, send } = modelOf();
    send(before, ...mixed, ...mixed, ...mixed);
    send(after, ...mixed);
    for (const bytes of [1000, 8000]) t.ok(within(model.estimate(bytes), after(bytes), 0.25), `${bytes} bytes`);
  }
});

t.test('one slow transfer, or two at the same time, is no new link', async (t) => {
  const { clock, model, send } = modelOf();
  send(link(20, 5), ...mixed, ...mixed);
  const before = model.estimate(3000);
  clock.ms += 1000;
  model.add(3000, 900);
  clock.ms += 50;
  model.add(3000, 800);
  t.ok(model.estimate(3000) < 1.6 * before, `${before} to ${model.estimate(3000)}`);
  send(link(20, 5), ...mixed);
  t.ok(within(model.estimate(3000), before, 0.1));
});

t.test('what does not end is believed at once, and disbelieved at once', async (t) => {
  const { clock, model, send } = modelOf();
  send(link(20, 5), ...mixed, ...mixed);
  clock.ms += 2000;
  t.ok(model.addUnfinished(1000, 2000), 'news');
  t.ok(model.estimate(1000) > 2000);
  t.notOk(model.addUnfinished(1000, 1000), 'no news');
  clock.ms += 100;
  model.add(1000, 2100);
  t.ok(model.estimate(1000) > 2000, 'what was stuck itself proves nothing');
  clock.ms += 300;
  model.add(1000, 22);
  t.ok(model.estimate(1000) < 200, 'one that fares better does');
});

t.test('how little is known is known', async (t) => {
  const { clock, model, send } = modelOf();
  send(link(20, 5), ...Array.from({ length: 20 }, () => 900));
  const small = model.deviation(900);
  t.ok(small < 0.1 * model.estimate(900), 'of sizes that were sent');
  t.ok(model.deviation(40_000) > 0.25 * model.estimate(40_000), 'of others, little');
  t.ok(model.deviation(1000, 900) < small, 'of two alike, what they share does not count');
  clock.ms += 60_000;
  t.ok(model.deviation(900) > 3 * small, 'and less as time goes by');
  const told = model.deviation(900);
  model.doubt();
  t.ok(model.deviation(900) > told, 'or when the connection was another one');
});

t.test('nonsense counts for nothing', async (t) => {
  const { model } = modelOf();
  for (const [bytes, ms] of [
    [0, 5],
    [100, 0],
    [100, -1],
    [Number.NaN, 5],
    [100, Number.NaN],
  ]) {
    model.add(bytes, ms);
  }
  t.equal(model.transfers, 0);
  const random = new Random(5);
  for (let i = 0; i < 2000; i++) model.add(random.range(1, 1e6), 10 ** random.range(-2, 5));
  const ms = model.estimate(1000);
  const deviation = model.deviation(1000);
  t.ok(Number.isFinite(ms) && ms >= 0 && Number.isFinite(deviation), 'whatever comes');
});

t.test('a night without transfers, or a thousand lost connections, and it begins anew', async (t) => {
  const { clock, model, send } = modelOf();
  send(link(20, 5), ...mixed);
  clock.ms += 7 * 86_400_000;
  t.ok(Number.isFinite(model.estimate(1000)) && Number.isFinite(model.bps) && Number.isFinite(model.base));
  for (let i = 0; i < 1000; i++) model.doubt();
  t.ok(Number.isFinite(model.estimate(1000)) && Number.isFinite(model.deviation(1000)));
  send(link(20, 5), ...mixed);
  t.ok(within(model.estimate(3000), 20 + 24 / 5, 0.2));
});

t.test('pings: soon after the last transfer, then more and more seldom, one at a time', async (t) => {
  const clock = { ms: 0 };
  const pings = new Pings(() => clock.ms);
  const at: number[] = [];
  for (; clock.ms < 60_000; clock.ms += 50) {
    if (!pings.due) continue;
    at.push(clock.ms);
    pings.sent();
    t.notOk(pings.due);
    clock.ms += 50;
    t.equal(pings.back(), 50);
    pings.learnt(false);
  }
  t.ok(at[0] <= 500 && at[1] - at[0] < 1000);
  t.ok(at.length < 16, `${at.length} in a minute`);
  pings.sent();
  clock.ms += 1000;
  t.equal(pings.overdue(), undefined, 'not yet');
  clock.ms += 1500;
  t.equal(pings.overdue(), 2500);
  t.equal(pings.back(), undefined, 'too late');
  pings.heard();
  clock.ms += 400;
  t.ok(pings.due, 'news makes them quick again');
});
