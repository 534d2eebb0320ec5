import t from 'tap';
import { type Circumstances, FrameWatchdog } from '../../../agent/health/watchdog.js';
import { Watchdog } from '../../../platform/systemd/watchdog.js';

const WATCHDOG_MS = 60_000;

/** An agent in virtual time: one second a step, looked at by the watchdog as by its timer. */
class Story {
  now = 1_000_000;
  fedAt = this.now;
  at: Circumstances = {
    periodMs: 200,
    timeoutMs: 2000,
    inFlight: 0,
    waiting: false,
    connected: true,
    edge: 'use',
    fallback: true,
  };
  readonly watchdog = new FrameWatchdog(
    { watchdogMs: undefined, watchdog: () => (this.fedAt = this.now), status: () => {} },
    () => this.at,
    () => this.now,
  );

  /** @returns whether systemd would have let it live */
  async seconds(count: number, each: () => void = () => {}): Promise<boolean> {
    for (let i = 0; i < count; i++) {
      this.now += 1000;
      each();
      if (i % 15 === 14) await this.watchdog.check();
      if (this.now - this.fedAt > WATCHDOG_MS) return false;
    }
    return true;
  }

  frame(outcome: 'result' | 'local' | 'timeout' | 'failed'): void {
    this.watchdog.picture();
    this.watchdog.started();
    this.watchdog.ended(outcome);
  }
}

t.test('frames that get through keep it alive, from the edge or the device', async (t) => {
  const story = new Story();
  t.ok(await story.seconds(600, () => story.frame('result')));
  t.ok(await story.seconds(600, () => story.frame('local')));
});

t.test('frames that all come to nothing do not', async (t) => {
  for (const outcome of ['failed', 'timeout'] as const) {
    const story = new Story();
    await story.seconds(100, () => story.frame('result'));
    t.notOk(await story.seconds(100, () => story.frame(outcome)), outcome);
    t.ok(story.now - story.fedAt > WATCHDOG_MS);
  }
});

t.test('a few losses in a row are no reason to start again, however rare frames are', async (t) => {
  const story = new Story();
  story.at.periodMs = 100_000;
  let second = 0;
  const loss = () => {
    if (second++ % 100 === 0) story.frame(second < 300 ? 'timeout' : 'result');
  };
  t.ok(await story.seconds(1000, loss));
  const slow = new Story();
  slow.at.periodMs = 100_000;
  second = 0;
  t.notOk(await slow.seconds(1000, () => second++ % 100 === 0 && slow.frame('failed')), 'but not one after the other');
});

t.test('a frame that never comes home does not feed it', async (t) => {
  const story = new Story();
  story.frame('result');
  story.watchdog.picture();
  story.watchdog.started();
  story.at.inFlight = 1;
  t.notOk(await story.seconds(100, () => story.watchdog.picture()), 'pictures go on, frames do not');
});

t.test('a picture that waits, and never starts, does not', async (t) => {
  const story = new Story();
  story.at.waiting = true;
  t.notOk(await story.seconds(100, () => story.watchdog.picture()));
});

t.test('a camera that gives nothing and says nothing does not; one that says what is wrong does', async (t) => {
  t.notOk(await new Story().seconds(100));
  const story = new Story();
  story.at.cameraTrouble = 'somebody else holds it';
  t.ok(await story.seconds(10_000));
});

t.test('no broker or no edge is an idle state only where nothing answers on the device', async (t) => {
  for (const away of [{ connected: false }, { edge: 'avoid' as const }]) {
    const story = new Story();
    story.at = { ...story.at, ...away, fallback: false, waiting: true };
    t.ok(await story.seconds(1000, () => story.watchdog.picture()));
    story.at.fallback = true;
    t.notOk(await story.seconds(100, () => story.watchdog.picture()));
  }
});

t.test('pictures on demand, none taken: the camera is asked and does not answer', async (t) => {
  const story = new Story();
  story.at.periodMs = 0;
  t.notOk(await story.seconds(100));
});

t.test('who is asked and never answers feeds nothing, and is asked once at a time', async (t) => {
  let fed = 0;
  let asked = 0;
  const manager = { watchdogMs: undefined, watchdog: () => fed++, status: () => {} };
  const hangs = new Watchdog(manager, () => {
    asked++;
    return new Promise(() => {});
  });
  void hangs.check();
  void hangs.check();
  const fails = new Watchdog(manager, () => Promise.reject(new Error('gone')));
  await fails.check();
  t.same([fed, asked], [0, 1]);
});

t.test('many results are told a few times', async (t) => {
  let now = 0;
  let fed = 0;
  const manager = { watchdogMs: 40_000, watchdog: () => fed++, status: () => {} };
  const watchdog = new Watchdog(
    manager,
    () => undefined,
    () => now,
  );
  for (; now < 100_000; now += 10) watchdog.progress();
  watchdog.close();
  t.equal(fed, 10);
});
