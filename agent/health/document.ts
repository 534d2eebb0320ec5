import { versions } from '../../platform/versions.js';
import type { HealthMessage, SystemHealth } from '../../protocol/health.js';
import type { Camera } from '../camera/camera.js';
import { inBrief } from '../partition/trace.js';
import type { Engine } from '../pipeline/engine.js';
import type { FlightControl } from '../pipeline/flight.js';
import type { Trips } from '../pipeline/trips.js';
import type { Stats } from './stats.js';

/** What a health document is made of. */
export interface HealthSources {
  session: number;
  /** performance.now() when the agent began. */
  startedAt: number;
  engine: Engine;
  stats: Stats;
  trips: Trips;
  /** Results that wait for the broker. */
  waitingResults: number;
  camera: Camera | undefined;
  system: SystemHealth | undefined;
  update: HealthMessage['update'];
}

/** The health document as of now. */
export function healthOf(sources: HealthSources): HealthMessage {
  const { session, startedAt, engine, stats, trips, waitingResults, camera, system, update } = sources;
  const { planner, config } = engine;
  const bytes = stats.bytes.mean();
  return {
    v: 1,
    device: config.device,
    session,
    uptime_s: Math.round((performance.now() - startedAt) / 100) / 10,
    bundle: engine.bundleName,
    ...(trips.last && { partition: trips.last.id, rate: trips.last.rate }),
    fps: Math.round(stats.fps() * 100) / 100,
    frames: stats.frames,
    results: stats.results + stats.local,
    lost: stats.lost,
    drops: dropsOf(stats, trips.flight),
    coding: { ...stats.coding },
    steps_ms: stats.stepsP50(),
    ...(bytes !== null && { bytes_mean: Math.round(bytes) }),
    bandwidth_bps: Math.round(planner.link.bps),
    ...(planner.trace.latest && { decision: inBrief(planner.trace.latest) }),
    waiting_results: waitingResults,
    rss_bytes: process.memoryUsage.rss(),
    ...(camera?.health && { camera: camera.health }),
    system,
    versions: versions(),
    ...(update && { update }),
  };
}

/** Everything that came to nothing so far, by cause. */
export function dropsOf(stats: Stats, { superseded, late }: FlightControl): Record<string, number> {
  return { ...stats.drops, ...(superseded > 0 && { superseded }), ...(late > 0 && { late }) };
}
