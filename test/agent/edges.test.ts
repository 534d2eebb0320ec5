import t from 'tap';
import { EdgeWatch } from '../../agent/partition/edges.js';

const online = (id: string) => ({ online: true, bundles: [{ id, name: 'b' }] });

t.test('an edge that answers is used; a silent one is tried now and then', async (t) => {
  const edges = new EdgeWatch();
  edges.announce('w', online('a'));
  t.equal(edges.advice(0), 'use');
  edges.unanswered();
  edges.unanswered();
  t.equal(edges.advice(0), 'use', 'two losses are no silence');
  edges.unanswered();
  t.equal(edges.advice(0), 'try');
  edges.tried(0);
  t.equal(edges.advice(1000), 'avoid');
  t.equal(edges.advice(2000), 'try');
  edges.answered();
  t.equal(edges.advice(2001), 'use');
});

t.test('without an announced edge, or with one that refuses, frames stay, with a rare trial', async (t) => {
  const edges = new EdgeWatch();
  t.equal(edges.advice(0), 'try');
  edges.tried(0);
  t.equal(edges.advice(9000), 'avoid');
  t.equal(edges.advice(10_000), 'try');
  edges.announce('w', online('a'));
  t.equal(edges.advice(9000), 'use');
  edges.refused();
  t.equal(edges.advice(9000), 'avoid');
  edges.announce('w', online('a'));
  t.equal(edges.advice(9000), 'avoid', 'the same announcement is no news');
  edges.announce('w', online('b'));
  t.equal(edges.advice(9000), 'use', 'other bundles are');
  edges.announce('w', { online: false });
  t.equal(edges.advice(9000), 'avoid');
  edges.announce('w', online('b'));
  edges.forget();
  t.same(edges.online, []);
});

t.test('waiting for the first announcement', async (t) => {
  const edges = new EdgeWatch();
  const alive = setInterval(() => {}, 1000);
  t.equal(await edges.waitForOne(1), false);
  const waited = edges.waitForOne(60_000);
  edges.announce('w', online('a'));
  t.equal(await waited, true);
  t.equal(await edges.waitForOne(0), true);
  clearInterval(alive);
});

t.test('who has waited in vain is not told later, and not kept', async (t) => {
  const edges = new EdgeWatch();
  const alive = setInterval(() => {}, 1000);
  const later = edges.waitForOne(60_000);
  for (let i = 0; i < 20; i++) t.equal(await edges.waitForOne(1), false);
  const cleared = t.capture(globalThis, 'clearTimeout', globalThis.clearTimeout);
  edges.announce('w', online('a'));
  const told = cleared().length;
  cleared.restore();
  t.equal(told, 1, 'only who still waits');
  t.equal(await later, true);
  clearInterval(alive);
});
