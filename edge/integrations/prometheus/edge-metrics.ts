import { Names, summed } from '../../../platform/metrics/names.js';
import { countedHistogram, Metrics, STEP_SECONDS } from '../../../platform/metrics/registry.js';
import { STEPS } from '../../../protocol/health.js';
import { isFailure } from '../../../protocol/result.js';
import type { Edge } from '../../edge.js';
import type { Site } from '../../rules/site.js';
import { severities } from '../../rules/types.js';
import type { LiveDevice, LiveStore } from '../../store/live.js';
import type { Seats } from '../../web/seats.js';
import { systemOf } from '../system.js';

/** Cameras with time series of their own; counts of more are added up as `other`. */
export const CAMERAS = 200;
const CAUSES = 64;
const EDGE_STEPS = ['queue', 'decode', 'tail', 'post', 'total'] as const;
const BATCHES = [1, 2, 4, 8, 16, 32, 64];

export interface MetricsParts {
  edge: Pick<Edge, 'stats' | 'gauges' | 'onAnswer'>;
  store: LiveStore;
  /** Absent where no history is kept. */
  site?: Pick<Site, 'history' | 'notifier' | 'openAlerts' | 'onNews'>;
  seats?: Pick<Seats, 'open' | 'counts'>;
}

/** Everything that the edge tells Prometheus. */
export function edgeMetrics(parts: MetricsParts): Metrics {
  const metrics = new Metrics('deepcod_edge');
  work(metrics, parts.edge);
  cameras(metrics, parts.store);
  if (parts.site) history(metrics, parts.site);
  if (parts.seats) streams(metrics, parts.seats);
  return metrics;
}

function work(metrics: Metrics, edge: MetricsParts['edge']): void {
  const { counter, gauge } = bound(metrics);
  const causes = new Names(CAUSES);
  counter('deepcod_edge_frames_total', 'Frame messages taken in.', () => edge.stats().frames);
  counter('deepcod_edge_results_total', 'Frames answered with a result.', () => edge.stats().results);
  counter('deepcod_edge_errors_total', 'Frames answered with an error.', () => edge.stats().errors);
  counter('deepcod_edge_received_bytes_total', 'Bytes of frame messages.', () => edge.stats().bytes);
  const drops = () => summed(causes, Object.entries(edge.stats().drops));
  counter('deepcod_edge_drops_total', 'Frames without a result, by cause.', drops, 'cause');
  const batchHelp = 'Frames in one run of a tail.';
  countedHistogram(metrics, 'deepcod_edge_batch_frames', batchHelp, BATCHES, () => edge.stats().batch_sizes);
  gauge('deepcod_edge_waiting_frames', 'Frames that wait for their turn.', () => edge.gauges().waiting);
  gauge('deepcod_edge_backlog_seconds', 'How long a frame that comes now would wait.', () => edge.gauges().backlog_s);
  gauge('deepcod_edge_load_ratio', 'How busy the inference threads were lately, 0 to 1.', () => edge.gauges().load);
  gauge('deepcod_edge_models_loaded', 'Models that are loaded.', () => edge.gauges().models);
  gauge('deepcod_edge_model_bytes', 'Memory of the loaded models.', () => edge.gauges().model_bytes);

  const stepHelp = 'Times of answered frames at this edge, by step.';
  const steps = metrics.histogram('deepcod_edge_step_seconds', stepHelp, STEP_SECONDS, 'step');
  const series = EDGE_STEPS.map((step) => [step, steps.labels(step)] as const);
  const points = new Names(CAUSES);
  const byPoint = new Map<string, number>();
  const pointHelp = 'Results of this edge by partition point.';
  counter('deepcod_edge_partition_results_total', pointHelp, () => byPoint, 'partition');
  edge.onAnswer(({ answer }) => {
    if (isFailure(answer)) return;
    for (const [step, one] of series) one.observe(answer.edge_ms[step] / 1000);
    const point = points.of(answer.partition);
    byPoint.set(point, (byPoint.get(point) ?? 0) + 1);
  });
}

function cameras(metrics: Metrics, store: LiveStore): void {
  const { counter, gauge } = bound(metrics);
  const names = new Names(CAMERAS);
  const perCamera = (read: (device: LiveDevice) => number | undefined) => () =>
    summed(
      names,
      store.devices().flatMap((device): [string, number][] => {
        const value = read(device);
        return value === undefined ? [] : [[device.name, value]];
      }),
    );
  const each = (
    kind: typeof gauge,
    name: string,
    help: string,
    read: (device: LiveDevice) => number | undefined,
  ): void => kind(`deepcod_camera_${name}`, help, perCamera(read), 'camera');

  gauge(
    'deepcod_edge_cameras',
    'Cameras heard of, by state.',
    () => {
      const states = new Map([...['online', 'silent', 'offline'].map((state): [string, number] => [state, 0])]);
      const now = Date.now();
      for (const device of store.devices()) {
        const state = device.present(now) ? 'online' : device.online ? 'silent' : 'offline';
        states.set(state, (states.get(state) ?? 0) + 1);
      }
      return states;
    },
    'state',
  );
  each(gauge, 'up', 'Whether it is there: 1 or 0.', (device) => Number(device.present(Date.now())));
  each(counter, 'results_total', 'Results heard of since this edge started.', ({ counts }) => counts.results);
  each(counter, 'failures_total', 'Error answers heard of since this edge started.', ({ counts }) => counts.failures);
  each(counter, 'received_bytes_total', 'Bytes of its frames that came here.', ({ counts }) => counts.bytes);
  each(
    counter,
    'drops_total',
    'Frames it took and nobody answered, as it counts them.',
    ({ health }) => health?.drops && Object.values(health.drops).reduce((sum, count) => sum + count, 0),
  );
  each(gauge, 'frames_per_second', 'Results a second, lately, as it says.', ({ health }) => health?.fps);
  each(gauge, 'frame_bytes', 'Mean size of its recent frame messages.', ({ health }) => health?.bytes_mean);
  each(gauge, 'latency_seconds', 'From picture to result, median of recent frames.', ({ health }) =>
    inSeconds(health?.steps_ms?.total),
  );
  each(gauge, 'bandwidth_bits_per_second', 'What it holds its link to carry.', ({ health }) => health?.bandwidth_bps);
  each(gauge, 'temperature_celsius', 'Of its processor.', (device) => systemOf(device)?.temperature_c);
  each(gauge, 'wifi_signal_dbm', 'Of its wireless link.', (device) => systemOf(device)?.wifi?.signal_dbm);
  gauge(
    'deepcod_trip_step_seconds',
    'Each step of a frame’s trip: mean over the cameras that are there of their recent medians.',
    () => tripSteps(store, Date.now()),
    'step',
  );
}

function tripSteps(store: LiveStore, now: number): [string, number][] {
  const there = store.devices().filter((device) => device.present(now));
  return STEPS.flatMap((step): [string, number][] => {
    const known = there.flatMap(({ health }) => health?.steps_ms?.[step] ?? []);
    return known.length === 0 ? [] : [[step, known.reduce((sum, ms) => sum + ms, 0) / known.length / 1000]];
  });
}

function history(metrics: Metrics, site: NonNullable<MetricsParts['site']>): void {
  const { counter, gauge } = bound(metrics);
  const { history, notifier } = site;
  gauge('deepcod_edge_history_waiting', 'Entries that wait to be written.', () => history.counts.waiting);
  counter('deepcod_edge_history_written_total', 'Entries written.', () => history.counts.written);
  counter('deepcod_edge_history_dropped_total', 'Entries given up.', () => history.counts.dropped);
  gauge('deepcod_edge_history_failing', 'Whether writing fails now: 1 or 0.', () =>
    Number(history.counts.failing !== undefined),
  );
  const alerts = new Map<string, number>(severities.map((severity) => [severity, 0]));
  counter('deepcod_edge_alerts_total', 'Alerts since the start, by severity.', () => alerts, 'severity');
  site.onNews((news) => {
    if (news.kind !== 'alert' || news.type !== 'new') return;
    alerts.set(news.alert.severity, (alerts.get(news.alert.severity) ?? 0) + 1);
  });
  gauge('deepcod_edge_alerts_open', 'Alerts that nobody has closed.', () => site.openAlerts());
  gauge('deepcod_edge_notifications_waiting', 'Notifications that wait to be sent.', () => notifier.waiting);
}

function streams(metrics: Metrics, seats: NonNullable<MetricsParts['seats']>): void {
  const { counter, gauge } = bound(metrics);
  gauge('deepcod_edge_streams_open', 'Streams that pages and programs have open.', () => seats.open);
  const help = 'Streams that the edge ended, or did not open (refused), by cause.';
  counter('deepcod_edge_streams_ended_total', help, () => new Map(Object.entries(seats.counts)), 'cause');
}

const inSeconds = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms / 1000);

const bound = (metrics: Metrics): { counter: Metrics['counter']; gauge: Metrics['gauge'] } => ({
  counter: metrics.counter.bind(metrics),
  gauge: metrics.gauge.bind(metrics),
});
