import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { agentMetrics } from '../../../agent/integrations/agent-metrics.js';
import { startEdge } from '../../../edge/edge.js';
import { CAMERAS, edgeMetrics, type MetricsParts } from '../../../edge/integrations/prometheus/edge-metrics.js';
import { LiveStore } from '../../../edge/store/live.js';
import { startWeb } from '../../../edge/web.js';
import { packageRoot } from '../../../platform/root.js';
import { codedFrame, Device, recordedLog, tinyConfig, until } from '../harness.js';
import { lint, parseExposition, promtoolCheck, seriesValue, withoutPromtool } from './exposition.js';

const parts = (store = new LiveStore()): MetricsParts => ({
  store,
  edge: {
    stats: () => ({
      frames: 9,
      results: 7,
      errors: 1,
      batches: 4,
      batch_sizes: [0, 2, 1, 1],
      drops: { late: 2 },
      bytes: 99,
      steps_ms: {},
    }),
    gauges: () => ({ load: 0.5, waiting: 1, backlog_s: 0.02, models: 2, model_bytes: 1e6 }),
    onAnswer() {},
  },
});

t.test('a running edge: what it counts is what Prometheus reads, with the token and not without', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'deepcod-metrics-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const token = 'a-token-of-some-length';
  writeFileSync(join(folder, 'token'), `${token}\n`);
  const config = tinyConfig({
    broker: { port: 0 },
    web: { enabled: true, port: 0 },
    history: { enabled: true, folder: join(folder, 'history') },
    // Another model would be loaded to be measured.
    inference: { threads: 1, measure: false },
    metrics: { enabled: true, token_file: join(folder, 'token') },
  });
  const { log } = recordedLog();
  const edge = await startEdge(config, log);
  const web = await startWeb(config, edge, log);
  const device = await Device.connect(edge.brokerUrl, 'cam');
  t.teardown(async () => {
    await device.close();
    await web?.close();
    await edge.close();
  });
  await edge.link.broker.ready(10_000);
  for (let frame = 1; frame <= 3; frame++) {
    device.send(codedFrame(frame));
    await device.answerTo(frame);
  }
  device.send(Buffer.from('junk'));
  await until(() => edge.stats().frames === 4, 'all messages');

  const url = `${web?.url}metrics`;
  t.equal((await fetch(url)).status, 401);
  t.equal((await fetch(url, { headers: { authorization: 'Bearer another-token-here' } })).status, 401);
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  t.match(response.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
  const text = await response.text();
  const read = parseExposition(text);
  t.same(lint(read), []);
  const is = (name: string, value: number, labels = {}) => t.equal(seriesValue(read, name, labels), value, name);
  is('deepcod_edge_frames_total', 4);
  is('deepcod_edge_results_total', 3);
  is('deepcod_edge_drops_total', 1, { cause: 'frame_short' });
  is('deepcod_edge_step_seconds_count', 3, { step: 'tail' });
  is('deepcod_edge_batch_frames_sum', 3);
  is('deepcod_edge_partition_results_total', 3, { partition: 'input' });
  is('deepcod_edge_cameras', 1, { state: 'online' });
  is('deepcod_camera_results_total', 3, { camera: 'cam' });
  is('deepcod_edge_models_loaded', 1);
  is('deepcod_edge_alerts_total', 0, { severity: 'critical' });
  t.ok((seriesValue(read, 'process_resident_memory_bytes') ?? 0) > 1e7);
  t.ok((seriesValue(read, 'deepcod_edge_received_bytes_total') ?? 0) > 3 * codedFrame(1).length - 1);
});

t.test('batches are a histogram from exact counts', async (t) => {
  const read = parseExposition((await edgeMetrics(parts()).text()).text);
  const upTo = (le: string) => seriesValue(read, 'deepcod_edge_batch_frames_bucket', { le });
  t.same([upTo('1'), upTo('2'), upTo('4'), upTo('+Inf')], [2, 3, 4, 4]);
  t.equal(seriesValue(read, 'deepcod_edge_batch_frames_sum'), 7);
  t.same(lint(read), []);
});

t.test('cameras beyond the cap share one series of each count, and have no gauges', async (t) => {
  const store = new LiveStore();
  for (let i = 0; i < CAMERAS + 30; i++) {
    const device = `cam-${`${i}`.padStart(4, '0')}`;
    store.onStatus(device, { online: true });
    store.onFrame(device, { session: 1, frame: 1, partition: 'input', rate: 0, bytes: 10 });
  }
  const metrics = edgeMetrics(parts(store));
  const read = parseExposition((await metrics.text()).text);
  const series = (name: string) => read.samples.filter((sample) => sample.name === name);
  t.equal(series('deepcod_camera_received_bytes_total').length, CAMERAS + 1);
  t.equal(seriesValue(read, 'deepcod_camera_received_bytes_total', { camera: 'other' }), 300);
  t.equal(series('deepcod_camera_up').length, CAMERAS);
  t.equal(seriesValue(read, 'deepcod_camera_up', { camera: 'other' }), undefined);
  store.forget('cam-0000');
  const after = parseExposition((await metrics.text()).text);
  t.equal(
    seriesValue(after, 'deepcod_camera_up', { camera: 'cam-0000' }),
    undefined,
    'who is taken away has no series',
  );
});

/** All names that a process tells. */
async function names(): Promise<Set<string>> {
  const site = {
    ...{ openAlerts: () => 0, onNews: () => () => {}, notifier: { waiting: 0 } },
    history: { counts: { waiting: 0, written: 0, dropped: 0 } },
  } as unknown as MetricsParts['site'];
  const health = () => ({ v: 1, device: 'a', session: 1, uptime_s: 1 }) as const;
  const seats = { open: 0, counts: { user: 0, room: 0, slow: 0, stopping: 0, refused: 0 } };
  const all = [edgeMetrics({ ...parts(), site, seats }).registry, agentMetrics(health).metrics.registry];
  const found = new Set<string>();
  for (const registry of all) {
    for (const { name, type } of await registry.getMetricsAsJSON()) {
      const histogram = (type as unknown as string) === 'histogram';
      for (const end of histogram ? ['_bucket', '_sum', '_count'] : ['']) found.add(`${name}${end}`);
    }
  }
  return found;
}

t.test('every query of the dashboard asks for metrics that exist', async (t) => {
  const known = await names();
  const file = join(packageRoot(), 'deploy', 'grafana', 'deepcod.json');
  const board = JSON.parse(readFileSync(file, 'utf8')) as {
    panels: { title: string; targets: { expr: string }[] }[];
    templating: { list: { query: string | { query: string } }[] };
  };
  const asked = board.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const));
  for (const { query } of board.templating.list) if (typeof query === 'object') asked.push(['variable', query.query]);
  t.ok(asked.length > 20);
  for (const [title, expr] of asked) {
    const used = [...expr.matchAll(/\b(?:deepcod|process|nodejs)_[a-z0-9_]+/g)].map(([name]) => name);
    t.ok(used.length > 0, `${title}: a metric`);
    for (const name of used) t.ok(known.has(name), `${title}: ${name}`);
  }
});

if (withoutPromtool) t.comment(withoutPromtool);
t.test('promtool finds nothing', { skip: withoutPromtool }, async (t) => {
  const store = new LiveStore();
  store.onFrame('cam', { session: 1, frame: 1, partition: 'input', rate: 0, bytes: 10 });
  const { text } = await edgeMetrics(parts(store)).text();
  const agent = await agentMetrics(() => ({
    v: 1,
    device: 'a',
    session: 1,
    uptime_s: 1,
    drops: { late: 1 },
  })).metrics.text();
  t.equal(promtoolCheck(text), '');
  t.equal(promtoolCheck(agent.text), '');
});
