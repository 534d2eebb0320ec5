import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openEdgeBundles } from '../../edge/worker/bundles.js';
import type { FrameProperties } from '../../edge/worker/intake.js';
import type { AnsweredFrame } from '../../edge/worker/replies.js';
import { EdgeWorker, type WorkerOptions } from '../../edge/worker/worker.js';
import { silentLog } from '../../platform/log.js';
import {
  encodeFrame,
  type FrameResult,
  isFailure,
  parseResult,
  type ResultMessage,
  Topics,
} from '../../protocol/index.js';
import {
  bundleCopy,
  codedFrame,
  codedPayload,
  expected,
  header,
  rawFrame,
  recordedLog,
  sameDetections,
  tinyBundle,
  until,
} from './harness.js';

type Change = {
  inference?: Partial<WorkerOptions['inference']>;
  queue?: Partial<WorkerOptions['queue']>;
  bundle?: string;
};

async function worker(t: Test, change: Change = {}, log = silentLog) {
  const sent: { topic: string; message: ResultMessage }[] = [];
  let online = true;
  const made = new EdgeWorker(
    {
      name: 'edge-t',
      topics: new Topics(),
      bundles: await openEdgeBundles([change.bundle ?? tinyBundle]),
      inference: {
        provider: 'cpu',
        threads: 1,
        maxLoaded: 4,
        maxBytes: 2 ** 30,
        batch: 1,
        parallel: 2,
        ...change.inference,
      },
      queue: { depth: 2, devices: 100, bytes: 1e6, maxAgeMs: 60_000, ...change.queue },
      referenceBytes: 1e6,
      publish: (to, text) => {
        if (online) sent.push({ topic: to.topic, message: parseResult(Buffer.from(text)) });
        return online;
      },
    },
    log,
  );
  t.teardown(() => made.close());
  const handle = (message: Uint8Array, device = 'cam', properties: FrameProperties = {}) =>
    made.handle(`deepcod/${device}/frame`, message, properties);
  const answered = (n: number) => until(() => sent.length >= n, `${n} answers`);
  const goOffline = () => {
    online = false;
  };
  return { made, sent, handle, answered, goOffline };
}
const result = (message: ResultMessage): FrameResult => {
  if (isFailure(message)) throw new Error(`${message.error.code}: ${message.error.message}`);
  return message;
};

t.test('pixels and symbols, at each rate, give the answers worked out in Python', async (t) => {
  const { made, sent, handle, answered } = await worker(t);
  for (const [i, e] of expected.entries()) {
    for (const rate of [-1, 0, 1]) {
      const frame = 10 * i + rate + 1;
      handle(rate < 0 ? rawFrame(frame, i) : codedFrame(frame, i, rate));
      await until(() => sent.some((s) => s.message.frame === frame), 'an answer');
      const answer = result(sent[sent.length - 1].message);
      t.ok(
        sameDetections(answer.detections, rate < 0 ? e.raw : e.rates[rate].detections),
        `picture ${i}, rate ${rate}`,
      );
      t.match(answer, {
        partition: rate < 0 ? 'raw' : 'input',
        rate: Math.max(0, rate),
        worker: 'edge-t',
        session: 99,
      });
      t.match(answer, { width: 64, height: 48 });
    }
  }
  await answered(9);
  t.match(made.stats(), { frames: 9, results: 9, errors: 0, drops: {} });
});

t.test('steps are timed and add up', async (t) => {
  const { sent, handle, answered } = await worker(t);
  handle(codedFrame(1));
  await answered(1);
  const { queue, decode, tail, post, total } = result(sent[0].message).edge_ms;
  for (const ms of [queue, decode, tail, post]) t.ok(ms >= 0);
  t.ok(tail > 0);
  t.ok(total + 0.01 >= queue + decode + tail + post, `${queue} + ${decode} + ${tail} + ${post} is within ${total}`);
});

t.test('a batch across devices: each gets its own answer, a bad payload leaves alone', async (t) => {
  const { made, sent, handle, answered } = await worker(t, { inference: { batch: 8, parallel: 1 } });
  for (const device of ['a', 'b', 'c', 'd', 'e']) {
    const index = 'abcde'.indexOf(device) % 3;
    if (device === 'c') handle(encodeFrame(header(5), codedPayload(0, 0).fill(255)), device);
    else handle(codedFrame(5, index, device === 'd' ? 1 : 0), device);
  }
  await answered(5);
  for (const { topic, message } of sent) {
    const device = topic.split('/')[1];
    if (device === 'c') {
      t.match(message, { error: { code: 'bad_payload' } });
      continue;
    }
    const index = 'abcde'.indexOf(device) % 3;
    const wanted = expected[index].rates[device === 'd' ? 1 : 0].detections;
    t.ok(sameDetections(result(message).detections, wanted), `device ${device}`);
  }
  t.match(made.stats(), { frames: 5, results: 4, errors: 1, drops: { bad_payload: 1 } });
});

t.test('overload: the newest frame wins, every loss is counted and said', async (t) => {
  const { made, sent, handle, answered } = await worker(t, { inference: { parallel: 1 } });
  for (let frame = 1; frame <= 6; frame++) handle(codedFrame(frame));
  await answered(6);
  const lost = sent.filter((s) => isFailure(s.message) && s.message.error.code === 'overloaded');
  t.same(
    lost.map((s) => s.message.frame),
    [1, 2, 3, 4],
  );
  t.same(
    sent.filter((s) => !isFailure(s.message)).map((s) => s.message.frame),
    [5, 6],
  );
  t.match(made.stats(), { frames: 6, results: 2, errors: 4, drops: { overloaded: 4 } });
});

t.test('errors are answered up to a rate, and counted all', async (t) => {
  const { made, sent, handle } = await worker(t);
  for (let frame = 1; frame <= 500; frame++) handle(encodeFrame(header(frame, { rate: 9 }), Uint8Array.of(1)));
  t.ok(sent.length >= 20 && sent.length < 60, `${sent.length} answers`);
  t.match(made.stats().drops, { unknown_rate: 500 });
  handle(encodeFrame(header(1, { rate: 9 }), Uint8Array.of(1)), 'other');
  t.equal(sent[sent.length - 1].topic, 'deepcod/other/result', 'another device is still told');
});

t.test('too old a frame is not worked on', async (t) => {
  const { made, sent, handle, answered } = await worker(t, { queue: { maxAgeMs: -1 } });
  handle(codedFrame(1));
  await answered(1);
  t.match(sent[0].message, { error: { code: 'overloaded', message: /waited/ } });
  t.match(made.stats().drops, { expired: 1 });
});

t.test('answers that cannot be sent are counted', async (t) => {
  const { made, handle, goOffline } = await worker(t);
  goOffline();
  handle(codedFrame(1));
  await until(() => made.stats().drops.unsent === 1, 'the count');
  t.match(made.stats(), { results: 0, errors: 0 });
});

t.test('listeners see answers with their frames; one that fails harms nothing', async (t) => {
  const { made, handle, answered } = await worker(t);
  const seen: AnsweredFrame[] = [];
  made.onAnswer(() => {
    throw new Error('broken listener');
  });
  made.onAnswer((event) => seen.push(event));
  handle(codedFrame(1));
  await answered(1);
  await until(() => seen.length === 1, 'the event');
  t.match(seen[0], { device: 'cam', answer: { frame: 1 }, job: { frame: { frame: 1 } } });
});

t.test('no more models stay loaded than allowed, and what was unloaded comes back', async (t) => {
  const { log, events } = recordedLog();
  const { sent, handle, answered } = await worker(t, { inference: { maxLoaded: 1 } }, log);
  for (let round = 0; round < 3; round++) {
    handle(codedFrame(2 * round));
    await answered(2 * round + 1);
    handle(rawFrame(2 * round + 1));
    await answered(2 * round + 2);
  }
  t.notOk(sent.some((s) => isFailure(s.message)));
  t.equal(events.filter((e) => /^loaded/.test(e.message)).length, 6);
});

t.test('a model that is being loaded stands in nobody’s way', async (t) => {
  const { sent, handle, answered } = await worker(t, { inference: { parallel: 1 } });
  handle(rawFrame(1));
  await answered(1);
  handle(codedFrame(2), 'a');
  handle(rawFrame(3), 'b');
  await answered(3);
  t.same(
    sent.map((s) => s.message.frame),
    [1, 3, 2],
  );
  t.notOk(sent.some((s) => isFailure(s.message)));
});

t.test('a model that cannot be loaded: said once, answered, the other partition goes on', async (t) => {
  const dir = await bundleCopy(t);
  const { log, events } = recordedLog();
  const { sent, handle, answered } = await worker(t, { bundle: dir }, log);
  // Verified at the start, damaged afterwards: as a failing disk would.
  await writeFile(join(dir, 'tails/input.onnx'), 'not a model');
  for (let frame = 1; frame <= 3; frame++) {
    handle(codedFrame(frame));
    await answered(frame);
  }
  for (const { message } of sent) t.match(message, { error: { code: 'internal', message: /tails\/input\.onnx/ } });
  t.equal(events.filter((e) => /cannot load/.test(e.message)).length, 1, 'tried once');
  handle(rawFrame(4));
  await answered(4);
  t.ok(sameDetections(result(sent[3].message).detections, expected[0].raw));
});

t.test('a model with other outputs than the manifest says is answered as the edge’s failure', async (t) => {
  const dir = await bundleCopy(t);
  const manifest = JSON.parse(await readFile(join(dir, 'manifest.json'), 'utf8'));
  manifest.service.classes.push('blue');
  await writeFile(join(dir, 'manifest.json'), JSON.stringify(manifest));
  const { made, sent, answered } = await worker(t, { bundle: dir });
  const [id] = (await openEdgeBundles([dir])).keys();
  made.handle('deepcod/cam/frame', codedFrame(1, 0, 0, { bundleId: id }));
  await answered(1);
  t.match(sent[0].message, { error: { code: 'internal', message: /expected Float32Array \[N, 20, 8\]/ } });
});

t.test('closing finishes what runs, and refuses what waits or still comes', async (t) => {
  const { made, sent, handle, answered } = await worker(t, { inference: { parallel: 1 } });
  handle(codedFrame(1));
  await answered(1);
  handle(codedFrame(2));
  await new Promise((resolve) => setImmediate(resolve));
  handle(codedFrame(3), 'other');
  await made.close();
  handle(codedFrame(4));
  const refused = (wanted: boolean) => sent.filter((s) => isFailure(s.message) === wanted).map((s) => s.message.frame);
  t.same(refused(false), [1, 2]);
  t.same(refused(true), [3, 4]);
  t.match(made.stats(), { results: 2, drops: { overloaded: 2 } });
});

t.test('no more work waits than can be answered in time: the rest is refused at once', async (t) => {
  const { made, sent, handle } = await worker(t, { queue: { devices: 5000 } });
  handle(codedFrame(1));
  await until(() => sent.length === 1, 'the first answer, and with it what a frame takes');
  for (let i = 0; i < 1000; i++) handle(codedFrame(2), `cam${i}`);
  t.equal(made.stats().drops.overloaded, undefined, 'a minute is enough for a thousand');
  t.ok(made.backlogMs > 10, `${made.backlogMs} ms of work wait`);
  await until(() => made.stats().results === 1001, 'all of them');
  for (let i = 0; i < 1000; i++) handle(codedFrame(3), `cam${i}`, { timeoutMs: 20 });
  const { overloaded } = made.stats().drops;
  t.ok(overloaded > 500, `20 ms are not: ${overloaded} refused at once`);
  const refusal = sent.map((s) => s.message).find(isFailure);
  t.ok((refusal?.error.wait_ms ?? 0) > 0, 'and told how long they would have waited');
  await until(() => made.waiting === 0, 'the rest');
});

t.test('memory: models beyond the cap go, least recently used first; one that cannot fit is refused', async (t) => {
  const { log, events } = recordedLog();
  const { made, sent, handle, answered } = await worker(t, { inference: { maxBytes: 100_000 } }, log);
  for (let round = 0; round < 2; round++) {
    handle(codedFrame(2 * round));
    await answered(2 * round + 1);
    handle(rawFrame(2 * round + 1));
    await answered(2 * round + 2);
  }
  t.notOk(sent.some((s) => isFailure(s.message)));
  t.equal(events.filter((e) => /^loaded/.test(e.message)).length, 4, 'one at a time: each measures more than the cap');
  t.ok(made.modelBytes > 0);
  const none = await worker(t, { inference: { maxBytes: 1 } });
  none.handle(codedFrame(1));
  await none.answered(1);
  t.match(none.sent[0].message, { error: { code: 'internal', message: /inference.megabytes/ } });
});
