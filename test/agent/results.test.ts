import { join } from 'node:path';
import t from 'tap';
import { LocalResults, type ResultLink } from '../../agent/store/results.js';
import { silentLog } from '../../platform/log.js';
import type { Delivery } from '../../platform/mqtt.js';
import { type FrameResult, parseResult } from '../../protocol/result.js';
import { until } from './rig.js';

const result = (frame: number, session = 7): FrameResult => ({
  v: 1,
  session,
  frame,
  bundle: '0123456789abcdef',
  partition: 'device',
  rate: 0,
  worker: 'yard',
  width: 10,
  height: 10,
  detections: [],
  edge_ms: { queue: 0, decode: 0, tail: 1, post: 0, total: 1 },
  local: true,
  at: 1_700_000_000_000 + frame,
});

/** A link whose broker answers as it is told. */
class FakeLink implements ResultLink {
  connected = false;
  busy = false;
  /** undefined: no answer. */
  answer: Delivery | undefined = 'acknowledged';
  /** A frame that is refused whatever else is answered. */
  refuses = -1;
  delayMs = 3;
  /** Unacknowledged messages that the broker takes. */
  takes = 100;
  readonly sent: { frame: number; late: boolean; session: number; unanswered: number }[] = [];
  readonly #open = new Set<(delivery: Delivery) => void>();

  get room(): number {
    return this.takes - this.#open.size;
  }

  publishResult(json: string): boolean {
    if (this.connected) this.#note(json);
    return this.connected;
  }

  deliverResult(json: string | Uint8Array, late: boolean): Promise<Delivery> {
    if (!this.connected || this.room <= 0) return Promise.resolve('lost');
    const message = this.#note(json);
    t.equal(message.late === true, late);
    return new Promise((resolve) => {
      this.#open.add(resolve);
      setTimeout(() => {
        const answer = message.frame === this.refuses ? 'refused' : this.answer;
        if (answer && this.#open.delete(resolve)) resolve(answer);
      }, this.delayMs);
    });
  }

  lose(): void {
    this.connected = false;
    for (const resolve of this.#open) resolve('lost');
    this.#open.clear();
  }

  get frames(): number[] {
    return this.sent.map(({ frame }) => frame);
  }

  #note(json: string | Uint8Array): FrameResult {
    const message = parseResult(Buffer.from(json)) as FrameResult;
    const { frame, session, late = false } = message;
    this.sent.push({ frame, session, late, unanswered: this.#open.size + 1 });
    return message;
  }
}

function made(folder: string | undefined, audience: (ms: number) => Promise<unknown> = async () => true) {
  const link = new FakeLink();
  const lost: Record<string, number> = {};
  const results = new LocalResults(
    { folder, megabytes: 1 },
    link,
    audience,
    (cause, count) => {
      lost[cause] = (lost[cause] ?? 0) + count;
    },
    silentLog,
  );
  const up = () => {
    link.connected = true;
    results.connected();
  };
  return { link, lost, results, up };
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
const settled = (results: LocalResults) => until(() => results.waiting === 0, 'nothing is kept');

t.test('without a folder: published or lost, and counted', async (t) => {
  const { link, lost, results } = made(undefined);
  results.publish(result(0));
  link.connected = true;
  results.publish(result(1));
  t.same(link.frames, [1]);
  t.same(lost, { result_unsent: 1 });
  t.equal(results.goFirst, false);
  await results.close();
});

t.test('kept while away; afterwards first what is kept, in order, and live ones behind it', async (t) => {
  const { link, lost, results, up } = made(join(t.testdir({}), 'results'));
  for (const n of range(0, 40)) results.publish(result(n));
  await until(() => results.waiting === 40, 'what is kept');
  t.notOk(results.goFirst, 'nothing goes while nobody is there');
  up();
  t.ok(results.goFirst, 'frames stay here until it has been published');
  for (const n of range(40, 60)) {
    results.publish(result(n));
    await new Promise((resolve) => setTimeout(resolve, 4));
  }
  await settled(results);
  t.notOk(results.goFirst);
  results.publish(result(60));
  t.same(link.frames, range(0, 61));
  t.ok(link.sent.slice(0, 60).every(({ late }) => late) && !link.sent[60].late);
  t.ok(
    link.sent.every(({ unanswered }) => unanswered <= 32),
    'a few on their way at a time',
  );
  t.same(lost, {});
  link.lose();
  await results.close();
});

t.test('a connection that was dead already: what was not acknowledged comes again, before what follows', async (t) => {
  const { link, lost, results, up } = made(join(t.testdir({}), 'results'));
  up();
  results.publish(result(0));
  await until(() => link.sent.length === 1, 'live');
  await new Promise((resolve) => setTimeout(resolve, 10));
  link.answer = undefined;
  for (const n of range(1, 5)) results.publish(result(n));
  t.equal(results.waiting, 0, 'in memory for now');
  link.lose();
  for (const n of range(5, 8)) results.publish(result(n));
  link.answer = 'acknowledged';
  up();
  await until(() => link.sent.length >= 12, 'all');
  await settled(results);
  t.same(link.frames, [0, 1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7]);
  t.same(lost, {});

  link.answer = undefined;
  for (const n of range(8, 30)) results.publish(result(n));
  await until(() => results.waiting > 0, 'more than a few unanswered are kept');
  await results.close();
});

t.test('what an earlier start kept comes first, with its own session', async (t) => {
  const folder = join(t.testdir({}), 'results');
  const before = made(folder);
  for (const n of range(0, 5)) before.results.publish(result(n, 6));
  await before.results.close();
  const { link, results, up } = made(folder);
  up();
  results.publish(result(0));
  await until(() => link.sent.length === 6, 'all');
  await settled(results);
  t.same(
    link.sent.map(({ session, frame }) => [session, frame]),
    [...range(0, 5).map((n) => [6, n]), [7, 0]],
  );
  await results.close();
});

t.test('the connection ends in between, or the broker refuses: again from the first that was not taken', async (t) => {
  const { link, lost, results, up } = made(join(t.testdir({}), 'results'));
  for (const n of range(0, 200)) results.publish(result(n));
  await until(() => results.waiting === 200, 'what is kept');
  up();
  await until(() => link.sent.length >= 10, 'the first ones');
  link.lose();
  await new Promise((resolve) => setTimeout(resolve, 50));
  link.answer = 'refused';
  up();
  const before = link.sent.length;
  await until(() => link.sent.length > before, 'a refused one');
  link.answer = 'acknowledged';
  await settled(results);
  const first = link.frames.filter((frame, i) => link.frames.indexOf(frame) === i);
  t.same(first, range(0, 200), 'none is left out, none overtakes');
  t.ok(link.sent.length - 200 <= 64, `${link.sent.length - 200} came twice`);
  t.same(lost, {});
  await results.close();
});

t.test('a link of half a second: what is kept is caught up with while ten new results a second come', async (t) => {
  const { link, lost, results, up } = made(join(t.testdir({}), 'results'));
  link.delayMs = 450;
  for (const n of range(0, 20)) results.publish(result(n));
  await until(() => results.waiting === 20, 'what is kept');
  up();
  let published = 20;
  while (results.waiting > 0 && published < 80) {
    results.publish(result(published++));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  t.equal(results.waiting, 0, `after ${published - 20} new ones`);
  await until(() => link.sent.length === published, 'the last ones');
  t.same(link.frames, range(0, published));
  t.equal(link.sent.at(-1)?.late, false, 'and results are live again');
  t.ok(Math.max(...link.sent.map(({ unanswered }) => unanswered)) <= 32);
  t.same(lost, {});
  await results.close();
});

t.test('a broker that takes few at a time gets no more, and none twice', async (t) => {
  const { link, results, up } = made(join(t.testdir({}), 'results'));
  link.takes = 5;
  link.delayMs = 60;
  for (const n of range(0, 30)) results.publish(result(n));
  await until(() => results.waiting === 30, 'what is kept');
  up();
  await settled(results);
  t.same(link.frames, range(0, 30));
  t.equal(Math.max(...link.sent.map(({ unanswered }) => unanswered)), 5);
  await results.close();
});

t.test('one that the broker always refuses is given up and counted, and holds up nothing', async (t) => {
  const { link, lost, results, up } = made(join(t.testdir({}), 'results'));
  for (const n of range(0, 10)) results.publish(result(n));
  await until(() => results.waiting === 10, 'what is kept');
  link.refuses = 3;
  up();
  await settled(results);
  t.same(lost, { store_refused: 1 });
  t.equal(link.frames.filter((frame) => frame === 3).length, 4, 'after a few attempts');
  const first = link.frames.filter((frame, i) => link.frames.indexOf(frame) === i);
  t.same(first, range(0, 10));
  t.equal(link.sent.length, 10 + 3 + 6, 'those behind it come twice at most');
  await results.close();
});

t.test('nothing is published before somebody is there to hear it, nor while a live message waits', async (t) => {
  let heard: (() => void) | undefined;
  const asked: number[] = [];
  const { link, results, up } = made(join(t.testdir({}), 'results'), (ms) => {
    asked.push(ms);
    return new Promise<void>((resolve) => {
      heard = resolve;
    });
  });
  for (const n of range(0, 5)) results.publish(result(n));
  await until(() => results.waiting === 5, 'what is kept');
  up();
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.equal(link.sent.length, 0);
  t.same(asked, [12_500], 'as long as an edge may take to connect again');
  link.busy = true;
  heard?.();
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.equal(link.sent.length, 0);
  link.busy = false;
  await settled(results);
  t.same(link.frames, range(0, 5));
  await results.close();
});
