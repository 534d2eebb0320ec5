import type { DeviceProfile } from '../../agent/partition/boards.js';
import { energyOf, type PowerModel } from '../../agent/partition/energy.js';
import { type Candidate, decide, frameMs, type Link, type Pace } from './decide.js';

/** How long a message and its answer took on a link. */
export interface Timed {
  p50: number;
  p95: number;
  /** Round trips timed; 0 where it was computed. */
  messages: number;
  computed: boolean;
}

/** An edge: measured here on one thread, or assumed. */
export interface Edge {
  id: 'cpu' | 'gpu';
  pace: number;
  simulated: boolean;
}

/**
 * How many times as fast an edge with a GPU is assumed to be: YOLOX-s (26.8 GFLOP) takes 9.8 ms on a V100
 * (https://github.com/Megvii-BaseDetection/YOLOX), about 220 ms at the 120 GFLOP/s of one thread here.
 */
export const GPU_SPEED_UP = 20;

export const EDGES: readonly Edge[] = [
  { id: 'cpu', pace: 1, simulated: false },
  { id: 'gpu', pace: 1 / GPU_SPEED_UP, simulated: true },
];

export interface Row {
  method: string;
  device: string;
  edge: 'cpu' | 'gpu';
  mbps: number;
  delay_ms: number;
  background_mbps: number;
  p50_ms: number;
  p95_ms: number;
  kb: number;
  ap_relative: number;
  /** Within one point of the uncompressed AP; otherwise this is the method's most accurate setting. */
  within_floor: boolean;
  partition: string;
  setting: unknown;
  device_part_ms: number;
  link_ms: number;
  edge_part_ms: number;
  /** The link's part was computed: one message takes too long to wait for. */
  computed: boolean;
  /** Per frame, at the device's supply. */
  energy_mj: number;
  /** The same without what it draws idling. */
  energy_active_mj: number;
  /** Parts that were not measured on the real thing. */
  simulated: string[];
}

/** What of a service's times and messages is assumed, said in every row. */
export interface Setting {
  service: string;
  assumed: string[];
  /** The link is a relay on loopback. */
  loopback: boolean;
}

/**
 * Millijoules of one frame: (busy - idle) x computing + (send - idle) x sending, and idle x latency on top.
 * @param times milliseconds: the device computes, the radio sends, until the answer is there
 */
export function energy(power: PowerModel, times: { computing: number; sending: number; latency: number }) {
  const active = energyOf(power, times.computing, times.sending);
  return { active, total: active + power.idle_w * times.latency };
}

const round = (value: number) => Math.round(value * 1000) / 1000;

/** The partition point; of raw pixels that our agent sends its own name for them. */
const placeOf = (best: Candidate, method: string): string =>
  best.method === 'offload' && method !== 'offload' ? 'raw' : best.partition;

/**
 * One method's row in one cell: the best of its candidates, which may be another method's (JPEG files that our agent sends).
 * @param timed what each candidate's messages took on this link; undefined where nothing was measured: then it can only be
 *   chosen if it sends nothing
 */
export function row(
  setting: Setting,
  method: string,
  rows: readonly Candidate[],
  where: { device: DeviceProfile; slowDown: number; edge: Edge; link: Link },
  timed: (candidate: Candidate) => Timed | undefined,
): Row {
  const { device, edge, link } = where;
  const pace: Pace = { device: where.slowDown, edge: edge.pace };
  const sent = (candidate: Candidate) =>
    candidate.partition === 'device' ? { p50: 0, p95: 0, computed: false } : timed(candidate);
  const known = rows.filter((candidate) => sent(candidate));
  const best = decide(known, (candidate) => sent(candidate)?.p50 ?? 0, pace);
  const local = best.partition === 'device';
  const { p50, p95, computed } = sent(best) as Pick<Timed, 'p50' | 'p95' | 'computed'>;
  const latency = frameMs(best, p50, pace);
  const computing = best.device_ms * pace.device;
  const sending = Math.min((best.kb * 1024 * 8) / (link.mbps * 1000), p50);
  const { active, total } = energy(device.power, { computing, sending, latency });
  const simulated = ['device', 'energy', ...setting.assumed];
  if (!local && edge.simulated) simulated.push('edge');
  if (!local && setting.loopback) simulated.push('link');
  return {
    method,
    device: device.id,
    edge: edge.id,
    mbps: link.mbps,
    delay_ms: link.delay_ms,
    background_mbps: link.background_mbps,
    p50_ms: round(latency),
    p95_ms: round(frameMs(best, p95, pace)),
    kb: round(best.kb),
    ap_relative: round(best.ap_relative),
    within_floor: best.within_floor,
    partition: placeOf(best, method),
    setting: best.setting,
    device_part_ms: round(computing),
    link_ms: round(p50),
    edge_part_ms: round(local ? 0 : best.edge_ms * pace.edge),
    computed,
    energy_mj: round(total),
    energy_active_mj: round(active),
    simulated,
  };
}
