import t from 'tap';
import { EdgeWatch } from '../../agent/partition/edges.js';
import { Home } from '../../agent/partition/home.js';
import { Throttle } from '../../agent/pipeline/throttle.js';

function made({ shares = true, device = 'yard', random = 0 } = {}) {
  const edges = new EdgeWatch();
  const state = { now: 1000 };
  const home = new Home(
    edges,
    device,
    () => shares,
    () => state.now,
    () => random,
  );
  const online = (worker: string, load = 0, direct = true) => edges.announce(worker, { online: true, direct, load });
  return { edges, state, home, online, offline: (worker: string) => edges.announce(worker, { online: false }) };
}

t.test('one edge: frames go where they always went, and it is certain who gets them', async (t) => {
  const { home, online } = made();
  t.same(home.next(), {});
  online('w1');
  t.same(home.next(), { certain: 'w1' });
  home.answered('w1');
  t.same(home.next(), { certain: 'w1' });
});

t.test('several: the broker chooses the first, and who answers stays', async (t) => {
  const { home, online, offline } = made();
  for (const worker of ['w1', 'w2', 'w3']) online(worker);
  t.same(home.next(), {});
  home.answered('w2');
  t.same(home.next(), { to: 'w2', certain: 'w2' });
  home.answered('w1');
  t.same(home.next(), { to: 'w2', certain: 'w2' }, 'a frame of before changes nothing');
  t.equal(home.statuses.length, 1, 'its status is what counts');
  offline('w2');
  t.same(home.next(), {}, 'gone: the broker chooses again');
  home.answered('w3');
  t.same(home.next(), { to: 'w3', certain: 'w3' });
  offline('w3');
  t.same(home.next(), { certain: 'w1' });
});

t.test('an edge that does not take frames by name is not asked by name', async (t) => {
  const { home, online } = made();
  online('old', 0, false);
  online('w1');
  home.answered('old');
  t.same(home.next(), {});
});

t.test('no answer: not asked by name for a while, longer each time', async (t) => {
  const { home, online, state } = made();
  online('w1');
  online('w2');
  home.answered('w1');
  for (const ms of [2000, 4000, 8000]) {
    home.unanswered('w1');
    t.same(home.next(), {});
    state.now += ms - 1;
    t.same(home.next(), {}, `${ms} ms`);
    state.now += 1;
  }
  home.answered('w1');
  t.same(home.next(), { to: 'w1', certain: 'w1' });
  home.unanswered('w1');
  state.now += 2000;
  home.answered('w1');
  t.same(home.next(), { to: 'w1', certain: 'w1' }, 'an answer makes it good again');
});

t.test('overloaded: left where another is free, and not by all devices at once', async (t) => {
  const { home, online } = made({ random: 0.1 });
  online('w1', 1);
  online('w2', 0.95);
  home.answered('w1');
  home.overloaded('w1');
  t.equal(home.next().to, 'w1', 'the other is as busy');
  online('w2', 0.3);
  home.overloaded('w2');
  t.equal(home.next().to, 'w1', 'another one’s refusal');
  home.overloaded('w1');
  t.equal(home.next().to, undefined);
  const most = made({ random: 0.5 });
  most.online('w1', 1);
  most.online('w2', 0);
  most.home.answered('w1');
  most.home.overloaded('w1');
  t.equal(most.home.next().to, 'w1');
});

t.test(
  'MQTT 3.1.1 gives a frame to every edge: the device chooses, devices differ, and what goes is replaced',
  async (t) => {
    const count = new Map<string, number>();
    for (let i = 0; i < 300; i++) {
      const { home, online, offline } = made({ shares: false, device: `cam-${i}` });
      for (const worker of ['w1', 'w2', 'w3']) online(worker);
      const { to = '' } = home.next();
      t.equal(home.next().to, to);
      count.set(to, (count.get(to) ?? 0) + 1);
      offline(to);
      const next = home.next().to;
      if (next === undefined || next === to) t.fail(`${next} after ${to}`);
    }
    for (const worker of ['w1', 'w2', 'w3'])
      t.ok((count.get(worker) ?? 0) > 70, `${worker}: ${count.get(worker)} of 300`);
  },
);

t.test('throttle: slower with every refusal, as slow as the edge says, faster with every answer', async (t) => {
  let now = 0;
  const throttle = new Throttle(() => now);
  throttle.sent();
  t.equal(throttle.delay, 0);
  throttle.overloaded();
  t.equal(throttle.delay, 50);
  throttle.overloaded(400);
  t.equal(throttle.delay, 400);
  now += 399;
  t.equal(throttle.delay, 1);
  now += 1;
  throttle.sent();
  t.equal(throttle.delay, 400, 'between any two frames');
  throttle.answered();
  t.ok(Math.abs(throttle.delay - 320) < 1e-6);
  for (let i = 0; i < 20; i++) throttle.answered();
  t.equal(throttle.delay, 0);
  for (let i = 0; i < 20; i++) throttle.overloaded();
  t.equal(throttle.delay, 5000);
});
