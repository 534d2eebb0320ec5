import t from 'tap';
import { RateLimiter } from '../../edge/worker/limiter.js';
import { FairQueue } from '../../edge/worker/queue.js';

interface Item {
  device: string;
  bytes: number;
  id: string;
  key: string;
}
const item = (id: string, key = 'k', bytes = 10): Item => ({ device: id[0], id, key, bytes });
const make = (limits: Partial<{ depth: number; devices: number; bytes: number }> = {}) => {
  const dropped: string[] = [];
  const queue = new FairQueue<Item>({ depth: 2, devices: 100, bytes: 1000, ...limits }, (i) => dropped.push(i.id));
  return { queue, dropped, take: (max = 1) => queue.take(max, (i) => i.key).map((i) => i.id) };
};

t.test('devices take turns, whoever sends most', async (t) => {
  const { queue, take } = make({ depth: 10 });
  for (const id of ['a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'c2']) queue.push(item(id));
  t.same(
    [...take(), ...take(), ...take(), ...take(), ...take(), ...take(), ...take()],
    ['a1', 'b1', 'c1', 'a2', 'c2', 'a3', 'a4'],
  );
  t.same(take(), []);
  t.equal(queue.size, 0);
  t.equal(queue.bytes, 0);
});

t.test('fair in what frames cost: a device with frames three times as dear is served a third as often', async (t) => {
  const queue = new FairQueue<Item>(
    { depth: 100, devices: 10, bytes: 1e6 },
    () => {},
    ({ id }) => (id[0] === 'a' ? 30 : 10),
  );
  for (let i = 0; i < 40; i++) for (const device of ['a', 'b']) queue.push(item(`${device}${i}`));
  const served = Array.from({ length: 40 }, () => queue.take(1, (i) => i.key)[0].device);
  t.equal(served.filter((device) => device === 'a').length, 10);
  t.equal(queue.work, 30 * 30 + 10 * 10);
});

t.test('silence earns nothing, and what was paid is not forgotten by leaving', async (t) => {
  const queue = new FairQueue<Item>({ depth: 100, devices: 10, bytes: 1e6 }, () => {});
  const take = () => queue.take(1, (i) => i.key)[0].id;
  for (let i = 0; i < 10; i++) queue.push(item(`a${i}`));
  for (let i = 0; i < 5; i++) take();
  queue.push(item('b0'));
  queue.push(item('b1'));
  queue.push(item('b2'));
  t.same([take(), take(), take(), take()].sort(), ['a5', 'a6', 'b0', 'b1'], 'not all of b first');
});

t.test('more work than there is time for: whoever had most loses, who had least comes in', async (t) => {
  const dropped: string[] = [];
  const queue = new FairQueue<Item>(
    { depth: 9, devices: 10, bytes: 1e6 },
    (i) => dropped.push(i.id),
    () => 10,
  );
  for (const id of ['a1', 'a2', 'a3', 'b1']) queue.push(item(id), 40);
  t.same(dropped, []);
  queue.push(item('c1'), 40);
  t.same(dropped, ['a1'], 'the oldest of who would be served last');
  queue.push(item('a4'), 40);
  t.same(dropped, ['a1', 'a2'], 'its own, since it has most');
  queue.clear();
  dropped.length = 0;
  queue.push(item('d1'), 1);
  t.same(dropped, [], 'one may wait in any case: else nothing would ever show that it became faster');
});

t.test('in a full line the newest wins, and the loss is reported', async (t) => {
  const { queue, dropped, take } = make();
  for (const id of ['a1', 'a2', 'a3', 'a4', 'b1']) queue.push(item(id));
  t.same(dropped, ['a1', 'a2']);
  t.same([...take(), ...take(), ...take()], ['a3', 'b1', 'a4']);
});

t.test('a line of one always holds the newest', async (t) => {
  const { queue, dropped, take } = make({ depth: 1 });
  for (const id of ['a1', 'a2', 'a3']) queue.push(item(id));
  t.same(dropped, ['a1', 'a2']);
  t.same(take(), ['a3']);
});

t.test('a batch holds one key, in turn order, and leaves the rest in place', async (t) => {
  const { queue, take } = make();
  for (const [id, key] of [
    ['a1', 'x'],
    ['b1', 'y'],
    ['c1', 'x'],
    ['d1', 'y'],
    ['a2', 'x'],
  ])
    queue.push(item(id, key));
  t.same(take(8), ['a1', 'c1']);
  t.same(take(8), ['b1', 'd1']);
  t.same(take(8), ['a2']);
});

t.test('what is not ready is passed over and keeps its turn', async (t) => {
  const { queue } = make();
  for (const [id, key] of [
    ['a1', 'x'],
    ['b1', 'y'],
    ['c1', 'x'],
  ])
    queue.push(item(id, key));
  const take = (ready: string[]) =>
    queue
      .take(
        8,
        (i) => i.key,
        (i) => ready.includes(i.key),
      )
      .map((i) => i.id);
  t.same(take([]), []);
  t.same(take(['y']), ['b1']);
  t.same(take(['x']), ['a1', 'c1']);
});

t.test('a batch is no larger than asked', async (t) => {
  const { queue, take } = make();
  for (const id of ['a1', 'b1', 'c1']) queue.push(item(id));
  t.same(take(2), ['a1', 'b1']);
  t.same(take(2), ['c1']);
});

t.test('bytes and devices are bounded; what finds no room is reported', async (t) => {
  const bytes = make({ bytes: 100 });
  bytes.queue.push(item('a1', 'k', 60));
  bytes.queue.push(item('b1', 'k', 60));
  bytes.queue.push(item('c1', 'k', 40));
  t.same(bytes.dropped, ['b1']);
  t.equal(bytes.queue.bytes, 100);
  const devices = make({ devices: 2 });
  for (const id of ['a1', 'b1', 'c1', 'a2']) devices.queue.push(item(id));
  t.same(devices.dropped, ['c1']);
});

t.test('nothing is lost unseen: everything pushed is taken or dropped, once', async (t) => {
  const { queue, dropped, take } = make({ depth: 3, devices: 5, bytes: 120 });
  let seed = 5;
  const random = (n: number) => {
    seed = (seed * 48271) % 0x7fffffff;
    return seed % n;
  };
  const pushed: string[] = [];
  const taken: string[] = [];
  for (let i = 0; i < 5000; i++) {
    const id = `${'abcdefg'[random(7)]}${i}`;
    pushed.push(id);
    queue.push(item(id, 'xy'[random(2)], random(30)));
    if (random(3) === 0) taken.push(...take(1 + random(4)));
    if (queue.bytes > 120 || queue.size > 15) t.fail('over its limits');
  }
  queue.clear();
  t.equal(queue.size + queue.bytes, 0);
  t.same([...taken, ...dropped].sort(), pushed.sort());
});

t.test('rate limiter: a burst, then a steady rate, each name by itself, memory bounded', async (t) => {
  const limiter = new RateLimiter(3, 2, 2);
  const allowed = (name: string, now: number, n: number) =>
    Array.from({ length: n }, () => limiter.allow(name, now)).filter(Boolean).length;
  t.equal(allowed('a', 0, 10), 3);
  t.equal(allowed('b', 0, 10), 3);
  t.equal(allowed('a', 1000, 10), 2);
  t.equal(allowed('a', 100_000, 10), 3);
  t.equal(allowed('c', 100_000, 1), 1, 'b is forgotten to make room');
  t.equal(allowed('b', 100_000, 10), 3);
});
