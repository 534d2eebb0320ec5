import { Names, summed } from '../../platform/metrics/names.js';
import { Metrics, STEP_SECONDS } from '../../platform/metrics/registry.js';
import { type HealthMessage, STEPS } from '../../protocol/health.js';
import type { Trip } from '../pipeline/trip.js';

/** Causes come from edges too. */
const CAUSES = 64;
const TRIP_STEPS = STEPS.filter((step) => step !== 'total');

/** Everything that an agent tells Prometheus. */
export interface AgentMetrics {
  metrics: Metrics;
  /** To be told of every trip. */
  onTrip(trip: Trip): void;
}

/** @param read the health as of now */
export function agentMetrics(read: () => HealthMessage): AgentMetrics {
  const metrics = new Metrics('deepcod_agent');
  const stepHelp = 'Times of answered frames, by step of their trip.';
  const steps = metrics.histogram('deepcod_agent_step_seconds', stepHelp, STEP_SECONDS, 'step');
  const stepSeries = TRIP_STEPS.map((step) => [step, steps.labels(step)] as const);
  const trips = metrics.histogram('deepcod_agent_trip_seconds', 'From picture to result.', STEP_SECONDS, 'by');
  const tripSeries = { result: trips.labels('edge'), local: trips.labels('device') };
  const counts = { edge: 0, device: 0, bytes: 0 };

  figures(metrics, read);
  metrics.counter(
    'deepcod_agent_results_total',
    'Frames with a result, by who made it.',
    () => [
      ['edge', counts.edge],
      ['device', counts.device],
    ],
    'by',
  );
  metrics.counter('deepcod_agent_sent_bytes_total', 'Bytes of answered frame messages.', () => counts.bytes);
  const onTrip = ({ outcome, steps: ms, bytes }: Trip): void => {
    if (outcome !== 'result' && outcome !== 'local') return;
    counts[outcome === 'result' ? 'edge' : 'device']++;
    counts.bytes += bytes;
    for (const [step, series] of stepSeries) {
      const time = ms[step];
      if (time !== undefined) series.observe(time / 1000);
    }
    if (ms.total !== undefined) tripSeries[outcome].observe(ms.total / 1000);
  };
  return { metrics, onTrip };
}

/** What the health says too. */
function figures(metrics: Metrics, read: () => HealthMessage): void {
  const causes = new Names(CAUSES);
  const points = new Names(CAUSES);
  const drops = () => summed(causes, Object.entries(read().drops ?? {}));
  const partition = () => {
    const { partition: point } = read();
    return point === undefined ? [] : [[points.of(point), 1] as const];
  };
  const running = () => {
    const { camera } = read();
    return camera && Number(camera.state === 'running');
  };
  metrics.counter('deepcod_agent_frames_total', 'Frames that began their trip.', () => read().frames);
  metrics.counter('deepcod_agent_lost_total', 'Frames that began their trip and have no result.', () => read().lost);
  metrics.counter('deepcod_agent_drops_total', 'Frames that came to nothing, by cause.', drops, 'cause');
  metrics.gauge('deepcod_agent_frames_per_second', 'Results a second, lately.', () => read().fps);
  const link = 'What the link is held to carry.';
  metrics.gauge('deepcod_agent_bandwidth_bits_per_second', link, () => read().bandwidth_bps);
  metrics.gauge('deepcod_agent_partition', 'Always 1: where the network is cut now.', partition, 'partition');
  const waiting = 'Results that are kept until the broker takes them.';
  metrics.gauge('deepcod_agent_waiting_results', waiting, () => read().waiting_results);
  metrics.gauge('deepcod_agent_camera_up', 'Whether pictures come: 1 or 0.', running);
  metrics.gauge('deepcod_agent_temperature_celsius', 'Of the processor.', () => read().system?.temperature_c);
}
