import type { PlacedDetection } from './places.js';
import { inSchedule } from './schedule.js';
import type { RuleSettings } from './types.js';

/** Detections that a rule looks at, in one frame. */
export interface Seen {
  count: number;
  score: number;
  labels: readonly string[];
}

/** A rule at one camera: what it remembers between two frames. */
export interface Watch {
  /** Since when it holds without a gap, and when it held last. */
  since?: number;
  last?: number;
  /** An alert is going on. */
  active: boolean;
  /** When the last alert ended. */
  endedAt?: number;
  /** Most, and the best score, since it holds. */
  count: number;
  score: number;
}

export const idle: Watch = { active: false, count: 0, score: 0 };

export type Happening = 'start' | 'more' | 'end';

/** Boxes that share so much are the same head. */
const SAME = 0.5;

/** What of a frame's detections concerns a rule. Masked ones never do. */
export function seenBy(rule: RuleSettings, detections: readonly PlacedDetection[]): Seen {
  const labels = rule.labels.length === 0 && rule.type === 'no_helmet' ? ['head'] : rule.labels;
  const visible = detections.filter(({ masked }) => !masked);
  const hits = visible.filter(
    (d) =>
      d.score >= rule.min_score &&
      (labels.length === 0 || labels.includes(d.label)) &&
      (rule.zone === undefined || d.zones?.includes(rule.zone)) &&
      !(rule.type === 'no_helmet' && visible.some((other) => coversHead(other, d))),
  );
  return {
    count: hits.length,
    score: hits.reduce((best, { score }) => Math.max(best, score), 0),
    labels: [...new Set(hits.map(({ label }) => label))],
  };
}

/** Whether a frame is one that the rule waits for. */
export function meets(rule: RuleSettings, { count }: Seen): boolean {
  return rule.type === 'count' ? count > (rule.above ?? 0) : count > 0;
}

/**
 * One step of a rule at one camera, by a frame or by the passing of time alone. Pure.
 * @param at never before the last step's
 * @param seen of a frame; undefined: time passed
 * @param patienceMs a gap of so long ends nothing: detectors blink, frames are lost
 */
export function advance(
  watch: Watch,
  rule: RuleSettings,
  at: number,
  seen: Seen | undefined,
  patienceMs: number,
): { watch: Watch; happened?: Happening } {
  const watches = rule.enabled && inSchedule(rule.schedule, at);
  const stale = watch.last !== undefined && at - watch.last > patienceMs;
  if (!watches || stale) {
    const ended = ends(watch);
    // what is seen now begins anew
    if (!watches || !seen || !meets(rule, seen)) return ended;
    if (ended.happened) return ended;
    return advance(ended.watch, rule, at, seen, patienceMs);
  }
  if (!seen || !meets(rule, seen)) return { watch };
  const { since = at, active, endedAt } = watch;
  const next: Watch = {
    ...{ since, last: at, active, endedAt },
    count: Math.max(watch.count, seen.count),
    score: Math.max(watch.score, seen.score),
  };
  if (active) {
    const more = next.count > watch.count || next.score > watch.score + 0.05;
    return { watch: next, happened: more ? 'more' : undefined };
  }
  const rested = endedAt === undefined || at - endedAt >= rule.cooldown_s * 1000;
  if (at - since < rule.seconds * 1000 || !rested) return { watch: next };
  return { watch: { ...next, active: true }, happened: 'start' };
}

function ends({ active, last, endedAt }: Watch): { watch: Watch; happened?: Happening } {
  if (!active) return { watch: { ...idle, endedAt } };
  return { watch: { ...idle, endedAt: last }, happened: 'end' };
}

/** A stronger detection of another class over the same head: a helmet, most likely. */
function coversHead(other: PlacedDetection, head: PlacedDetection): boolean {
  return other.label !== head.label && other.score > head.score && overlap(other.box, head.box) > SAME;
}

/** Intersection over union. */
function overlap(a: PlacedDetection['box'], b: PlacedDetection['box']): number {
  const width = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const both = width * height;
  return both / (a[2] * a[3] + b[2] * b[3] - both);
}
