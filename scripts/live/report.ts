import type { Trip } from '../../agent/pipeline/trip.js';
import { Histogram } from '../../platform/histogram.js';
import { machine, versions } from '../../platform/versions.js';
import type { CodingWord } from '../../protocol/frame.js';
import { STEPS, type Step } from '../../protocol/health.js';
import type { LinkReport } from './link/report.js';

/** What `--json` writes. Times in ms, sizes in bytes of whole frame messages; null where nothing was measured. */
export interface Report {
  /** Frames that began their trip: results + lost. */
  frames: number;
  results: number;
  lost: number;
  detections: number;
  bytes: { mean: number | null; p50: number | null; p95: number | null };
  /** End to end, and the median of each step that occurred. */
  latency_ms: { p50: number | null; p95: number | null; steps: Partial<Record<Step, number>> };
  /** Results by partition point. */
  partitions: Record<string, number>;
  /** Results of the edge by how their frames were coded: raw, key (stands alone), inter (against an earlier frame). */
  coding: Partial<Record<CodingWord, number>>;
  /** With `--link`. */
  link?: LinkReport;
  machine: ReturnType<typeof machine>;
  versions: Record<string, string>;
}

/** The last so many frames count in the percentiles. */
const KEPT = 100_000;

/** Sums up the trips of a run. */
export class RunReport {
  #frames = 0;
  #results = 0;
  #detections = 0;
  readonly #bytes = new Histogram(KEPT);
  readonly #steps = new Map<Step, Histogram>(STEPS.map((step) => [step, new Histogram(KEPT)]));
  readonly #partitions: Record<string, number> = {};
  readonly #coding: Report['coding'] = {};

  add(trip: Trip): void {
    this.#frames++;
    if (trip.outcome !== 'result' && trip.outcome !== 'local') return;
    this.#results++;
    this.#detections += trip.detections.length;
    if (trip.bytes > 0) this.#bytes.add(trip.bytes);
    if (trip.coding) this.#coding[trip.coding] = (this.#coding[trip.coding] ?? 0) + 1;
    this.#partitions[trip.partition] = (this.#partitions[trip.partition] ?? 0) + 1;
    for (const [step, ms] of Object.entries(trip.steps)) this.#steps.get(step as Step)?.add(ms);
  }

  /** @param bundle name and id of what was run @param link what came of its phases, where one was simulated */
  finish(bundle: { name: string; id: string }, link?: LinkReport): Report {
    const [p50, p95] = this.#bytes.percentiles(50, 95);
    const [latency50, latency95] = this.#steps.get('total')?.percentiles(50, 95) ?? [null, null];
    const steps: Partial<Record<Step, number>> = {};
    for (const [step, histogram] of this.#steps) {
      const median = histogram.p50();
      if (step !== 'total' && median !== null) steps[step] = round(median);
    }
    return {
      frames: this.#frames,
      results: this.#results,
      lost: this.#frames - this.#results,
      detections: this.#detections,
      bytes: { mean: whole(this.#bytes.mean()), p50: whole(p50), p95: whole(p95) },
      latency_ms: { p50: nullable(latency50), p95: nullable(latency95), steps },
      partitions: { ...this.#partitions },
      coding: { ...this.#coding },
      ...(link && { link }),
      machine: machine(),
      versions: { ...versions(), bundle: `${bundle.name}/${bundle.id}` },
    };
  }
}

const round = (ms: number) => Math.round(ms * 1000) / 1000;
const nullable = (ms: number | null) => (ms === null ? null : round(ms));
const whole = (bytes: number | null) => (bytes === null ? null : Math.round(bytes));
