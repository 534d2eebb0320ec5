import t from 'tap';
import { Batching, BatchTimes } from '../../edge/worker/batching.js';

const known = (times: Record<number, number>, most = 8): Batching => {
  const batching = new Batching(most);
  for (const [n, ms] of Object.entries(times)) batching.times.observe(Number(n), ms);
  return batching;
};
/** Frames come every so many milliseconds. */
const arriving = (batching: Batching, gap: number): Batching => {
  for (let i = 0; i < 200; i++) batching.arrived(i * gap);
  return batching;
};

t.test('times: what was run, straight lines between, in proportion beyond', async (t) => {
  const times = new BatchTimes();
  t.equal(times.estimate(1), undefined);
  times.observe(2, 30);
  t.equal(times.estimate(2), 30);
  t.equal(times.estimate(1), 15);
  t.equal(times.estimate(6), 90);
  times.observe(4, 50);
  t.equal(times.estimate(3), 40);
  times.observe(2, 20);
  t.equal(times.estimate(2), 20, 'the first run of a size plans its memory: it does not count against the second');
  for (let i = 0; i < 100; i++) times.observe(2, 40);
  t.ok(Math.abs((times.estimate(2) ?? 0) - 40) < 0.1, 'follows');
});

t.test('a batch where it answers more frames a second, none where it only takes longer', async (t) => {
  const gpu = known({ 1: 10, 2: 11, 4: 13, 8: 20 });
  t.equal(gpu.size(8, 1000), 8);
  t.equal(gpu.size(3, 1000), 3);
  const cpu = known({ 1: 10, 2: 20, 4: 38.5, 8: 80 });
  t.equal(cpu.size(8, 1000), 1, 'a few percent are not worth the wait');
  const half = known({ 1: 10, 2: 12, 4: 40, 8: 80 });
  t.equal(half.size(8, 1000), 2, 'the best size, not the largest');
  t.equal(gpu.cost(), 2.5);
  t.equal(cpu.cost(), 10);
});

t.test('a batch ends before its first frame is too late', async (t) => {
  const gpu = known({ 1: 10, 2: 11, 4: 13, 8: 20 });
  t.equal(gpu.size(8, 11.5), 2);
  t.equal(gpu.size(8, 1), 1, 'one is run in any case');
});

t.test('sizes that were never run are tried once there are enough frames, not waited for', async (t) => {
  const fresh = known({ 1: 10 });
  t.equal(fresh.size(3, 1000), 2);
  t.equal(fresh.size(3, 15), 1, 'and not where it might be too late');
  t.equal(fresh.size(3, 1000, false), 1);
  t.equal(arriving(fresh, 1).wait(1, 0, 1000), 0);
  t.equal(new Batching(8).size(8, 1000), 1, 'nothing is known');
});

t.test('waits for one more where all are then answered sooner', async (t) => {
  const gpu = { 1: 10, 2: 11, 4: 13, 8: 20 };
  t.ok(Math.abs(arriving(known(gpu), 1).wait(1, 0, 1000) - 1) < 0.1);
  t.equal(arriving(known(gpu), 8).wait(1, 0, 1000), 0, 'the next one comes too late to gain anything');
  t.equal(arriving(known({ 1: 10, 2: 20, 4: 40 }), 1).wait(1, 0, 1000), 0, 'a processor gains nothing');
  t.equal(arriving(known(gpu), 1).wait(1, 9.5, 1000), 0, 'never longer than a run takes');
  t.equal(arriving(known(gpu), 1).wait(1, 0, 11), 0, 'nobody becomes too late for others');
  t.equal(arriving(known(gpu), 1).wait(8, 0, 1000), 0, 'full');
});
