import t from 'tap';
import { Matcher } from '../../agent/pipeline/match.js';
import { encodeResult, type FrameResult } from '../../protocol/result.js';

const bundle = '0123456789abcdef';
const result = (frame: number, more: object = {}): Uint8Array => {
  const message: FrameResult = {
    v: 1,
    session: 7,
    frame,
    bundle,
    partition: 'input',
    rate: 0,
    worker: 'w',
    width: 10,
    height: 10,
    detections: [],
    edge_ms: { queue: 0, decode: 0, tail: 0, post: 0, total: 0 },
    ...more,
  };
  return Buffer.from(encodeResult(message));
};

t.test('answers find their frames by number, in any order', async (t) => {
  const matcher = new Matcher(7, bundle);
  const first = matcher.wait(1, 10_000);
  const second = matcher.wait(2, 10_000);
  t.equal(matcher.arrive(result(2)), 'matched');
  t.equal(matcher.arrive(result(1)), 'matched');
  t.match(await first, { kind: 'answer', message: { frame: 1 } });
  t.match(await second, { kind: 'answer', message: { frame: 2 } });
  t.equal(matcher.arrive(result(2)), 'late', 'a second answer has no taker');
  t.equal(matcher.size, 0);
});

t.test('what is not meant for this start is left alone', async (t) => {
  const matcher = new Matcher(7, bundle);
  const wait = matcher.wait(1, 50);
  t.equal(matcher.arrive(result(1, { session: 8 })), 'foreign');
  t.equal(matcher.arrive(result(1, { bundle: 'ffffffffffffffff' })), 'foreign');
  t.equal(matcher.arrive(result(1, { local: true })), 'foreign', 'our own');
  t.same(await wait, { kind: 'none', why: 'timeout' });
  t.equal(matcher.arrive(result(1)), 'late');
});

t.test('damaged messages harm nothing', async (t) => {
  const matcher = new Matcher(7, bundle);
  const wait = matcher.wait(1, 10_000);
  const good = result(1);
  for (const bad of [
    new Uint8Array(0),
    Buffer.from('{}'),
    Buffer.from('null'),
    good.subarray(0, 40),
    new Uint8Array(300_000),
  ]) {
    t.equal(matcher.arrive(bad), 'damaged');
  }
  t.equal(matcher.arrive(good), 'matched');
  await wait;
});

t.test('refusals are answers; unsent frames and a lost broker end the wait', async (t) => {
  const matcher = new Matcher(7, bundle);
  const refused = matcher.wait(1, 10_000);
  const error = { code: 'unknown_bundle', message: 'no' };
  matcher.arrive(Buffer.from(JSON.stringify({ v: 1, session: 7, frame: 1, bundle, worker: 'w', error })));
  t.match(await refused, { kind: 'answer', message: { error } });
  const unsent = matcher.wait(2, 10_000);
  matcher.unsent(2);
  t.same(await unsent, { kind: 'none', why: 'unsent' });
  const lost = [matcher.wait(3, 10_000), matcher.wait(4, 10_000)];
  matcher.giveUp('broker_lost');
  t.same(await Promise.all(lost), [
    { kind: 'none', why: 'broker_lost' },
    { kind: 'none', why: 'broker_lost' },
  ]);
});
