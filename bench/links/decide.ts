import { ANSWER_BYTES } from '../link/answer.js';
import type { BaselineRow, Baselines } from './baselines.js';

/** A link as a cell of the figures has it. */
export interface Link {
  mbps: number;
  /** There and back, without what sending takes. */
  delay_ms: number;
  /** Other traffic on it, in the direction of the frames. */
  background_mbps: number;
}

/** What a device and an edge take, as multiples of the machine that measured the baselines. */
export interface Pace {
  device: number;
  edge: number;
}

/** A row that a method may use, and whether it keeps the accuracy. */
export interface Candidate extends BaselineRow {
  within_floor: boolean;
}

/** AP that may be lost: one point. */
export const MOST_LOST = 0.01;
/** What TCP, IP and Ethernet add to the bytes of a message. */
const OVERHEAD = 1.05;
/** How far a computed estimate may be off before a candidate that it rules out could have won. */
const MARGIN = 1.5;

/**
 * AP that a row loses against its own uncompressed reference: rows of the rate bench were letterboxed by the runtime, the
 * others by the toolkit, and the two uncompressed AP differ. A row without any AP loses all.
 */
const lost = ({ ap, ap_relative }: BaselineRow, uncompressed: number): number =>
  (ap_relative > 0 ? ap / ap_relative : uncompressed) - ap;

/**
 * What each method may choose from: its rows that lose at most {@link MOST_LOST} of AP, or its most accurate row where
 * there is none.
 */
export function candidates({ rows, uncompressed }: Baselines): Map<string, Candidate[]> {
  const result = new Map<string, Candidate[]>();
  for (const method of new Set(rows.map((row) => row.method))) {
    const own = rows.filter((row) => row.method === method);
    const kept = own.filter((row) => lost(row, uncompressed.ap) <= MOST_LOST);
    const best = own.reduce((a, b) => (b.ap_relative > a.ap_relative ? b : a));
    result.set(
      method,
      (kept.length > 0 ? kept : [best]).map((row) => ({ ...row, within_floor: kept.length > 0 })),
    );
  }
  return result;
}

/**
 * What our agent chooses from: its own points, and the whole service on the device; with `pictures: true` JPEG files and raw
 * pixels too. The same rows, so what was timed counts for both.
 */
export function ourChoices(methods: ReadonlyMap<string, Candidate[]>, pictures: readonly Candidate[]) {
  const of = (method: string) => methods.get(method) ?? [];
  const local = of('on-device').filter(({ setting }) => setting === 'float32');
  const raw = of('offload').filter(({ partition, setting }) => partition === 'input' && setting === 'raw, uint8');
  const usual = [...of('ours'), ...local];
  return new Map(
    usual.length > 0
      ? [
          ['ours', usual],
          ['ours-pictures', [...usual, ...raw, ...pictures]],
        ]
      : [],
  );
}

/** Milliseconds from a message's first bit to the answer's last one, computed. */
export function computedMs(kb: number, link: Link): number {
  const free = Math.max(link.mbps - link.background_mbps, link.mbps / 20);
  const bits = (kb * 1024 + ANSWER_BYTES) * 8 * OVERHEAD;
  return bits / (free * 1000) + link.delay_ms;
}

/** Milliseconds of one frame: the sum of Eq. 14. @param linkMs 0 where nothing is sent */
export const frameMs = (row: BaselineRow, linkMs: number, pace: Pace): number =>
  row.device_ms * pace.device + linkMs + (row.partition === 'device' ? 0 : row.edge_ms * pace.edge);

/** The row with the least sum, the partition decision that every method gets. */
export function decide<T extends BaselineRow>(rows: readonly T[], linkMs: (row: T) => number, pace: Pace): T {
  return rows.reduce((a, b) => (frameMs(b, linkMs(b), pace) < frameMs(a, linkMs(a), pace) ? b : a));
}

/** Rows that may win on this link at one of these paces: the others need not be measured. */
export function promising<T extends BaselineRow>(rows: readonly T[], link: Link, paces: readonly Pace[]): T[] {
  const estimate = (row: T) => (row.partition === 'device' ? 0 : computedMs(row.kb, link));
  const limits = paces.map((pace) => {
    const best = decide(rows, estimate, pace);
    return MARGIN * frameMs(best, estimate(best), pace);
  });
  return rows.filter((row) => paces.some((pace, i) => frameMs(row, estimate(row), pace) <= limits[i]));
}
