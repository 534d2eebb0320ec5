import type { LiveDevice } from '../../store/live.js';
import { systemOf } from '../system.js';
import type { CameraFacts } from './facts.js';
import type { Sightings } from './sightings.js';

/** What entities show, in one message; what is not known is left out, and shown as unknown. */
export interface CameraState {
  on: 'ON' | 'OFF';
  occupied: 'ON' | 'OFF';
  bare_head: 'ON' | 'OFF';
  problem: 'ON' | 'OFF';
  /** What the problem is. */
  message?: string;
  detections: number;
  /** By class key. */
  n: Record<string, number>;
  latency_ms?: number;
  kb?: number;
  fps?: number;
  partition?: string;
  drops?: number;
  temperature_c?: number;
  wifi_dbm?: number;
  /** What was chosen for it: `auto`, or a point that settings or a command say. */
  choice?: string;
  version?: string;
  latest: string;
}

/** @param now milliseconds since 1970 @param latest this edge's version: what devices should have */
export function stateOf(
  device: LiveDevice,
  { classes, version }: CameraFacts,
  sightings: Sightings,
  now: number,
  latest: string,
): CameraState {
  const { health } = device;
  const system = systemOf(device);
  const message = problemOf(device);
  const n: Record<string, number> = {};
  for (const { label, key } of classes) {
    const count = sightings.counts.get(label);
    if (count) n[key] = count;
  }
  const drops = health?.drops && Object.values(health.drops).reduce((sum, count) => sum + count, 0);
  const { decision } = device;
  return {
    on: word(device.present(now)),
    occupied: word(sightings.occupied(now)),
    bare_head: word(sightings.bareHead(now)),
    problem: word(message !== undefined),
    message,
    detections: [...sightings.counts.values()].reduce((sum, count) => sum + count, 0),
    n,
    latency_ms: rounded(health?.steps_ms?.total, 1),
    kb: rounded(health?.bytes_mean === undefined ? undefined : health.bytes_mean / 1000, 0.1),
    fps: rounded(health?.fps, 0.1),
    partition: device.trips.at(-1)?.partition ?? health?.partition,
    drops,
    temperature_c: rounded(system?.temperature_c, 0.5),
    wifi_dbm: rounded(system?.wifi?.signal_dbm, 1),
    choice: decision && (decision.reason === 'only' ? decision.partition : 'auto'),
    version,
    latest,
  };
}

function problemOf(device: LiveDevice): string | undefined {
  const { camera } = device.health ?? {};
  if (camera && camera.state !== 'running' && camera.state !== 'starting') return camera.message ?? camera.state;
  const now = systemOf(device)?.throttled?.now ?? [];
  return now.length > 0 ? now.join(', ') : undefined;
}

const word = (is: boolean): 'ON' | 'OFF' => (is ? 'ON' : 'OFF');

/** Rounded so far that noise is no news. */
function rounded(value: number | undefined, to: number): number | undefined {
  return value === undefined ? undefined : Number((Math.round(value / to) * to).toFixed(1));
}
