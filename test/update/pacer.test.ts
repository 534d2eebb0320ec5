import t from 'tap';
import { type Clock, Pacer } from '../../agent/update/pacer.js';

/** Time that passes only while somebody sleeps. */
function virtualTime(): Clock & { at: number } {
  const clock = {
    at: 0,
    now: () => clock.at,
    async sleep(ms: number) {
      clock.at += ms;
    },
  };
  return clock;
}

t.test('the rate is kept, whatever the pieces', async (t) => {
  for (const [kbps, bytes] of [
    [8, 1000],
    [2000, 16_484],
    [100_000, 500],
  ]) {
    const clock = virtualTime();
    const pacer = new Pacer(kbps, () => false, clock);
    for (let i = 0; i < 100; i++) await pacer.turn(bytes);
    t.ok(Math.abs(clock.at - (99 * bytes * 8) / kbps) < 1e-6, `${kbps} kbit/s`);
    clock.at += 60_000;
    const before = clock.at;
    for (let i = 0; i < 11; i++) await pacer.turn(bytes);
    t.ok(Math.abs(clock.at - before - (10 * bytes * 8) / kbps) < 1e-6, 'a pause is not saved up');
  }
});

t.test('frames come first: no piece is asked for while one is on its way', async (t) => {
  const clock = virtualTime();
  /** A frame every 200 ms, on its way for 60 ms. */
  const busy = () => clock.at % 200 < 60;
  const pacer = new Pacer(2000, busy, clock);
  const asked: number[] = [];
  for (let i = 0; i < 200; i++) {
    await pacer.turn(16_484);
    asked.push(clock.at);
    t.notOk(busy());
  }
  t.ok((asked.at(-1) as number) < 200 * 66 * 1.6, 'and it goes on between them');
});

t.test('frames that never cease do not stop it for ever: one piece in two seconds', async (t) => {
  const clock = virtualTime();
  const pacer = new Pacer(2000, () => true, clock);
  for (let i = 0; i < 10; i++) await pacer.turn(16_484);
  t.ok(clock.at >= 20_000 && clock.at < 22_000, `${clock.at} ms`);
});

t.test('an end is heard at once', async (t) => {
  const pacer = new Pacer(2000, () => false, virtualTime());
  await t.rejects(pacer.turn(1, AbortSignal.abort(new Error('over'))), { message: 'over' });
});
