import { Histogram } from '../../../platform/histogram.js';
import type { HealthMessage } from '../../../protocol/health.js';
import { type FrameResult, isFailure, type ResultMessage } from '../../../protocol/result.js';
import type { PlacedDetection } from '../../rules/places.js';
import type { Sample } from './types.js';

const MINUTE_MS = 60_000;
/** Frames of a minute whose times count. */
const TIMES = 600;
/** Cameras of one minute, and classes of one camera. */
const CAMERAS = 2000;
const LABELS = 64;

class Minute {
  results = 0;
  failures = 0;
  drops = 0;
  bytes = 0;
  partition: string | undefined;
  rate: number | undefined;
  readonly times = new Histogram(TIMES);
  /** Sums over frames, and how many. */
  readonly steps = new Map<string, { sum: number; count: number }>();
  readonly counts = new Map<string, { max: number; sum: number }>();

  constructor(readonly at: number) {}

  step(name: string, ms: number): void {
    const step = this.steps.get(name) ?? { sum: 0, count: 0 };
    step.sum += ms;
    step.count++;
    this.steps.set(name, step);
  }

  sample(): Sample {
    const [p50, p95] = this.times.percentiles(50, 95);
    return {
      ...{ at: this.at, results: this.results, failures: this.failures, drops: this.drops, bytes: this.bytes },
      ...(p50 !== null && { p50_ms: tidy(p50) }),
      ...(p95 !== null && { p95_ms: tidy(p95) }),
      steps_ms: Object.fromEntries([...this.steps].map(([name, { sum, count }]) => [name, tidy(sum / count)])),
      counts: Object.fromEntries(
        [...this.counts].map(([label, { max, sum }]) => [label, { max, mean: tidy(sum / Math.max(1, this.results)) }]),
      ),
      ...(this.partition !== undefined && { partition: this.partition, rate: this.rate }),
    };
  }
}

/** Sums up what each camera did, minute by minute, in the time that it is told. */
export class Sampler {
  readonly #minutes = new Map<string, Minute>();
  /** Of each device: all drops that its health told of last, and the session that they are of. */
  readonly #drops = new Map<string, { session: number; drops: number }>();

  /** @param save takes each minute when it is over */
  constructor(readonly save: (camera: string, sample: Sample) => void) {}

  onAnswer(camera: string, at: number, answer: ResultMessage, bytes = 0): void {
    const minute = this.#minute(camera, at);
    if (!minute) return;
    minute.bytes += bytes;
    if (isFailure(answer)) minute.failures++;
    else this.#result(minute, answer);
  }

  onHealth(camera: string, at: number, { session, drops = {}, steps_ms = {} }: HealthMessage): void {
    const minute = this.#minute(camera, at);
    if (!minute) return;
    const total = Object.values(drops).reduce((sum, count) => sum + count, 0);
    const before = this.#drops.get(camera);
    // a new session counts from zero; of one that was running before us, what it dropped before is not of this minute
    if (before) minute.drops += Math.max(0, total - (before.session === session ? before.drops : 0));
    this.#drops.delete(camera);
    this.#drops.set(camera, { session, drops: total });
    if (this.#drops.size > CAMERAS) this.#drops.delete(this.#drops.keys().next().value as string);
    for (const [step, ms] of Object.entries(steps_ms)) if (EDGE_STEPS[step] === undefined) minute.step(step, ms);
  }

  /** Saves the minutes that are over. */
  tick(now: number): void {
    for (const [camera, minute] of this.#minutes) {
      if (now - minute.at < MINUTE_MS) continue;
      this.#minutes.delete(camera);
      this.save(camera, minute.sample());
    }
  }

  /** Saves all that there is. */
  end(): void {
    for (const [camera, minute] of this.#minutes) this.save(camera, minute.sample());
    this.#minutes.clear();
  }

  #result(minute: Minute, result: FrameResult): void {
    minute.results++;
    minute.partition = result.partition;
    minute.rate = result.rate;
    minute.times.add(result.edge_ms.total);
    for (const step of Object.keys(EDGE_STEPS)) minute.step(step, result.edge_ms[step as 'queue']);
    const found = new Map<string, number>();
    for (const { label, masked } of result.detections as readonly PlacedDetection[]) {
      if (!masked) found.set(label, (found.get(label) ?? 0) + 1);
    }
    for (const [label, count] of found) {
      const known = minute.counts.get(label) ?? { max: 0, sum: 0 };
      if (known.max === 0 && minute.counts.size >= LABELS) continue;
      minute.counts.set(label, { max: Math.max(known.max, count), sum: known.sum + count });
    }
  }

  #minute(camera: string, at: number): Minute | undefined {
    const start = Math.floor(at / MINUTE_MS) * MINUTE_MS;
    const known = this.#minutes.get(camera);
    if (known?.at === start) return known;
    if (!known && this.#minutes.size >= CAMERAS) return undefined;
    if (known) this.save(camera, known.sample());
    const minute = new Minute(start);
    this.#minutes.set(camera, minute);
    return minute;
  }
}

/** What an edge measures of every frame; the other steps are the device's to tell. */
const EDGE_STEPS: Readonly<Record<string, true>> = { queue: true, decode: true, tail: true, post: true };

const tidy = (value: number): number => Math.round(value * 1000) / 1000;
