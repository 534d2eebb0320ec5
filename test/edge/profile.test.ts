import mqtt from 'mqtt';
import t, { type Test } from 'tap';
import type { EdgeConfig } from '../../edge/config.js';
import { startEdge } from '../../edge/edge.js';
import { Load } from '../../edge/worker/load.js';
import { silentLog } from '../../platform/log.js';
import { type EdgeStatus, isFailure, parseStatus } from '../../protocol/index.js';
import { codedFrame, Device, rawFrame, recordedLog, tinyConfig, tinyId, until } from './harness.js';

async function edge(t: Test, inference: Partial<EdgeConfig['inference']>, log = silentLog) {
  const config = tinyConfig({
    broker: { host: '127.0.0.1', port: 0 },
    inference: { provider: 'cpu', threads: 1, ...inference },
  });
  const started = await startEdge(config, log);
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= started.close();
    return closed;
  };
  t.teardown(close);
  const client = await mqtt.connectAsync(started.brokerUrl, { protocolVersion: 4 });
  t.teardown(() => client.endAsync(true));
  const seen: { status: EdgeStatus } = { status: { online: false } };
  client.on('message', (_, payload) => {
    seen.status = parseStatus(payload);
  });
  await client.subscribeAsync('deepcod/edge/edge-1/status');
  const partitions = () => Object.keys(seen.status.tails_ms?.[tinyId] ?? {}).sort();
  return { started, seen, partitions, close };
}

t.test('an idle edge measures every tail, announces the times, and unloads the models', async (t) => {
  const { log, events, said } = recordedLog();
  const { seen, partitions } = await edge(t, { batch: 4 }, log);
  await until(() => partitions().length === 2, 'both tails');
  t.same(partitions(), ['input', 'raw']);
  for (const times of Object.values(seen.status.tails_ms?.[tinyId] ?? {})) {
    t.same(
      times.map(({ batch }) => batch),
      [1, 2, 4],
    );
    for (const { mean, deviation } of times) t.ok(mean > 0 && deviation >= 0, `${mean} ± ${deviation}`);
  }
  t.equal(seen.status.load, 0, 'measuring is no load: frames would not wait for it');
  t.ok(said(/measured the tails/));
  t.equal(events.filter((e) => /^loaded/.test(e.message)).length, 2, 'each loaded once');
});

t.test('with a batch of one that is all that is measured; measure: false measures nothing', async (t) => {
  const one = await edge(t, { batch: 1 });
  await until(() => one.partitions().length === 2, 'both tails');
  t.same(
    one.seen.status.tails_ms?.[tinyId].input.map(({ batch }) => batch),
    [1],
  );
  const none = await edge(t, { measure: false });
  await until(() => (none.seen.status.uptime_s ?? 0) >= 4, 'four seconds');
  t.same(none.seen.status.tails_ms, {});
});

t.test('frames come first: all are answered meanwhile, and their model is not unloaded for another', async (t) => {
  const { log, events } = recordedLog();
  const { started, partitions } = await edge(t, { max_loaded: 1 }, log);
  const device = await Device.connect(started.brokerUrl, 'cam');
  t.teardown(() => device.close());
  let frame = 0;
  // Some more after the measurement: the other tail must not take the room then either.
  for (let more = 0; more < 20 && frame < 400; more += partitions().length) {
    device.send(codedFrame(++frame));
    await device.answerTo(frame);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  t.same(partitions(), ['input']);
  t.notOk(device.results.some(isFailure));
  t.match(started.stats(), { frames: frame, results: frame, drops: {} });
  t.equal(events.filter((e) => /^loaded/.test(e.message)).length, 1);
  device.send(rawFrame(++frame));
  await device.answerTo(frame);
  t.match(started.stats(), { results: frame }, 'another frame takes the room at once');
});

t.test('an edge that is closed while it measures ends cleanly', async (t) => {
  const { log, events, said } = recordedLog();
  const { close } = await edge(t, { batch: 64 }, log);
  await until(() => said(/^loaded/), 'the first tail');
  await close();
  t.notOk(said(/measured the tails/));
  t.notOk(events.some(({ level }) => level === 'warn' || level === 'error'));
});

t.test('load: the share of the last five seconds in which something ran', async (t) => {
  let now = 0;
  const load = new Load(() => now);
  t.equal(load.share(), 0);
  const runs: (() => void)[] = [];
  const begin = () => load.during(() => new Promise<void>((resolve) => runs.push(resolve)));
  const end = async () => {
    runs.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  void begin();
  now = 500;
  void begin();
  now = 1000;
  await end();
  t.equal(load.share(), 1, 'two that overlap count once');
  now = 1500;
  await end();
  now = 3000;
  t.equal(load.share(), 0.5);
  for (; now < 7000; now += 100) load.share();
  t.ok(load.share() < 0.01, 'forgotten');
  void begin();
  for (; now < 13_000; now += 100) load.share();
  t.ok(load.share() > 0.99, 'a run that lasts counts while it does');
});
