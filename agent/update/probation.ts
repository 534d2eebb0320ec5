import type { Trip } from '../pipeline/trip.js';
import type { Baseline } from './state.js';

/** Frames after which a change is judged. */
export const PROBATION_FRAMES = 60;
/** So many frames in a row that failed here, or that no edge takes, are enough. */
const HOPELESS = 3;
/** So many frames in a row without any answer. */
const SILENT = 10;
/** The first frames may wait for models to be loaded: their times do not count. */
const COLD_FRAMES = 5;
/** Fewer frames say too little about what was before. */
const LEAST_BASELINE = 20;
/** Frames that are remembered as what was before. */
const RECENT = 100;
/** Worse: so much fewer answered; so many times slower, and by so many ms; nothing found where something was found in so many. */
const FEWER = 0.2;
const SLOWER = 3;
const SLOWER_MS = 200;
const OFTEN_FOUND = 0.5;

/** Losses that are the link's or the operator's, whatever runs. */
const others = new Set(['unsent', 'broker_lost', 'edge_lost', 'stopped']);
/** Refusals that say that the edge cannot serve what runs now. */
const lasting = new Set(['unknown_bundle', 'unknown_partition', 'unknown_rate', 'bad_payload']);

interface Seen {
  answered: boolean;
  totalMs: number;
  found: boolean;
}

const seen = ({ outcome, steps, detections }: Trip): Seen => ({
  answered: outcome === 'result' || outcome === 'local',
  totalMs: steps.total ?? 0,
  found: detections.length > 0,
});

/** How the last frames fared. */
export class Recent {
  readonly #last: Seen[] = [];

  add(trip: Trip): void {
    if (others.has(trip.outcome ?? '')) return;
    this.#last.push(seen(trip));
    if (this.#last.length > RECENT) this.#last.shift();
  }

  /** What runs has changed. @param frames those that it has had so far */
  startAnew(frames: readonly Seen[] = []): void {
    this.#last.splice(0, this.#last.length, ...frames.slice(-RECENT));
  }

  /** @returns undefined: too few frames to tell */
  baseline(): Baseline | undefined {
    return this.#last.length < LEAST_BASELINE ? undefined : summary(this.#last);
  }
}

export type Verdict = { keep: true } | { keep: false; code: string; message: string };

/** Watches the frames after a change. */
export class Probation {
  /** Those that count, oldest first. */
  readonly frames: Seen[] = [];
  #hopeless = 0;
  #silent = 0;

  /** @param before undefined: only what is wrong in itself is found */
  constructor(readonly before: Baseline | undefined) {}

  /** A trip is over. @returns undefined: not yet */
  add(trip: Trip): Verdict | undefined {
    const { outcome = '', refusal = '' } = trip;
    if (others.has(outcome)) return undefined;
    const frame = seen(trip);
    this.frames.push(frame);
    const isHopeless = outcome === 'failed' || (outcome === 'refused' && lasting.has(refusal));
    this.#hopeless = isHopeless ? this.#hopeless + 1 : 0;
    this.#silent = outcome === 'timeout' ? this.#silent + 1 : 0;
    if (this.#hopeless >= HOPELESS) {
      const what = outcome === 'failed' ? 'fail on this device' : `are refused by the edge: ${refusal}`;
      return { keep: false, code: outcome === 'failed' ? 'frames_fail' : refusal, message: `frames ${what}` };
    }
    if (this.#silent >= SILENT && (this.before?.answered ?? 0) > 0.5) {
      return { keep: false, code: 'no_results', message: `${SILENT} frames in a row had no answer` };
    }
    return this.frames.length < PROBATION_FRAMES ? undefined : this.#judge();
  }

  #judge(): Verdict {
    const { before } = this;
    if (!before) return { keep: true };
    const now = summary(this.frames, COLD_FRAMES);
    const percent = (share: number) => `${Math.round(share * 100)} %`;
    if (now.answered < before.answered - FEWER) {
      const message = `${percent(now.answered)} of ${now.frames} frames were answered; before: ${percent(before.answered)}`;
      return { keep: false, code: 'fewer_results', message };
    }
    if (now.totalMs > before.totalMs * SLOWER && now.totalMs > before.totalMs + SLOWER_MS) {
      const message = `a frame takes ${Math.round(now.totalMs)} ms; before: ${Math.round(before.totalMs)} ms`;
      return { keep: false, code: 'slower', message };
    }
    if (now.found === 0 && before.found >= OFTEN_FOUND) {
      const message = `nothing was found on ${now.frames} frames; before: something on ${percent(before.found)}`;
      return { keep: false, code: 'finds_nothing', message };
    }
    return { keep: true };
  }
}

/** @param cold frames at the beginning whose times are left out */
function summary(frames: readonly Seen[], cold = 0): Baseline {
  const answered = frames.filter((frame) => frame.answered);
  const times = frames
    .slice(cold)
    .filter((frame) => frame.answered)
    .map(({ totalMs }) => totalMs)
    .sort((a, b) => a - b);
  return {
    frames: frames.length,
    answered: answered.length / frames.length,
    totalMs: times[times.length >> 1] ?? 0,
    found: answered.length > 0 ? answered.filter(({ found }) => found).length / answered.length : 0,
  };
}
