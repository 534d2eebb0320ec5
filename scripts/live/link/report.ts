import type { Trip } from '../../../agent/pipeline/trip.js';
import { Histogram } from '../../../platform/histogram.js';
import { type LinkPhase, linkWords } from './phases.js';

/** What `--json` says of a simulated link. */
export interface LinkReport {
  simulated: true;
  phases: PhaseReport[];
}

/** What came of the frames that began in one phase. */
export interface PhaseReport {
  /** `0.3 Mbit/s, 20 ms one way` or `off`. */
  link: string;
  mbps: number;
  delay_ms: number;
  up: boolean;
  /** As asked for; null for a last phase without one. */
  duration_s: number | null;
  /** results + lost */
  frames: number;
  results: number;
  /** Of the results, those that the device made itself. */
  local: number;
  lost: number;
  /** Lost frames by cause. */
  causes: Record<string, number>;
  /** Results by partition point. */
  partitions: Record<string, number>;
  /** From picture to result; null without results. */
  latency_ms: { p50: number | null };
}

/** The last so many frames of a phase count in its median. */
const KEPT = 10_000;

/** Sums up the trips of a run by the phase of the link that they began in. */
export class PhaseSums {
  readonly #phases: { report: PhaseReport; latency: Histogram }[];

  constructor(phases: readonly LinkPhase[]) {
    this.#phases = phases.map((phase) => ({ report: empty(phase), latency: new Histogram(KEPT) }));
  }

  add(phase: number, trip: Trip): void {
    const { report, latency } = this.#phases[phase];
    report.frames++;
    if (trip.outcome === 'result' || trip.outcome === 'local') {
      report.results++;
      if (trip.outcome === 'local') report.local++;
      add(report.partitions, trip.partition);
      if (trip.steps.total !== undefined) latency.add(trip.steps.total);
    } else {
      report.lost++;
      add(report.causes, trip.outcome ?? 'unknown');
    }
  }

  finish(): LinkReport {
    const phases = this.#phases.map(({ report, latency }) => {
      const p50 = latency.p50();
      return { ...report, latency_ms: { p50: p50 === null ? null : Math.round(p50 * 1000) / 1000 } };
    });
    return { simulated: true, phases };
  }
}

function empty(phase: LinkPhase): PhaseReport {
  const { mbps, delayMs, up, durationMs } = phase;
  return {
    link: linkWords(phase),
    mbps,
    delay_ms: delayMs,
    up,
    duration_s: Number.isFinite(durationMs) ? durationMs / 1000 : null,
    frames: 0,
    results: 0,
    local: 0,
    lost: 0,
    causes: {},
    partitions: {},
    latency_ms: { p50: null },
  };
}

function add(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
