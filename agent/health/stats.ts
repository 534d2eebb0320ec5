import { Histogram } from '../../platform/histogram.js';
import type { CodingWord } from '../../protocol/frame.js';
import { STEPS, type Step } from '../../protocol/health.js';
import type { Trip } from '../pipeline/trip.js';

/** How many recent frames the percentiles look at. */
const RECENT = 256;
/** Results per second are those of the last so many ms. */
const FPS_WINDOW_MS = 10_000;

/** Counts since the start, and times of recent frames. Everything lost is counted by cause. */
export class Stats {
  /** Frames that began their trip. */
  frames = 0;
  /** Answered by the edge. */
  results = 0;
  /** Answered here. */
  local = 0;
  /** Began and were not answered. */
  lost = 0;
  /** Everything that came to nothing, by cause. */
  readonly drops: Record<string, number> = {};
  /** Results of the edge by how their frames were coded. */
  readonly coding: Partial<Record<CodingWord, number>> = {};
  readonly steps = new Map<Step, Histogram>(STEPS.map((step) => [step, new Histogram(RECENT)]));
  readonly bytes = new Histogram(RECENT);
  readonly #startedAt = performance.now();
  readonly #resultTimes: number[] = [];

  /** Counts something lost. */
  drop(cause: string, count = 1): void {
    this.drops[cause] = (this.drops[cause] ?? 0) + count;
  }

  /** A trip is over. */
  finish(trip: Trip, now = performance.now()): void {
    if (trip.outcome !== 'result' && trip.outcome !== 'local') {
      this.lost++;
      this.drop(trip.outcome === 'refused' ? `refused_${trip.refusal}` : (trip.outcome ?? 'failed'));
      return;
    }
    if (trip.outcome === 'result') {
      this.results++;
      this.bytes.add(trip.bytes);
      if (trip.coding) this.coding[trip.coding] = (this.coding[trip.coding] ?? 0) + 1;
    } else {
      this.local++;
    }
    for (const [step, ms] of Object.entries(trip.steps)) this.steps.get(step as Step)?.add(ms);
    this.#resultTimes.push(now);
    this.#forgetOld(now);
  }

  /** Results per second, recent. */
  fps(now = performance.now()): number {
    this.#forgetOld(now);
    const span = Math.min(FPS_WINDOW_MS, Math.max(1000, now - this.#startedAt));
    return (this.#resultTimes.length / span) * 1000;
  }

  /** Median of recent frames, ms, for the steps that occurred. */
  stepsP50(): Partial<Record<Step, number>> {
    const result: Partial<Record<Step, number>> = {};
    for (const [step, histogram] of this.steps) {
      const p50 = histogram.p50();
      if (p50 !== null) result[step] = round(p50);
    }
    return result;
  }

  #forgetOld(now: number): void {
    while (this.#resultTimes.length > 0 && this.#resultTimes[0] < now - FPS_WINDOW_MS) this.#resultTimes.shift();
  }
}

const round = (ms: number) => Math.round(ms * 1000) / 1000;
