import type { FrameResult } from '../../../protocol/result.js';
import { seenBy } from '../../rules/evaluate.js';
import type { PlacedDetection } from '../../rules/places.js';
import { completeRule } from '../../rules/rule.js';

/** Detectors blink: what was seen stays seen for so long, ms. */
const HOLD_MS = 3000;

/** The rule that the page's own alerts follow. */
const noHelmet = completeRule({ name: 'no helmet', type: 'no_helmet', seconds: 0 });

/** What one camera saw lately. */
export class Sightings {
  /** Of the newest frame, by label. */
  counts: ReadonlyMap<string, number> = new Map();
  #anything = Number.NEGATIVE_INFINITY;
  #bareHead = Number.NEGATIVE_INFINITY;

  /** @param at ms, of any clock that does not go back */
  saw({ detections }: Pick<FrameResult, 'detections'>, at: number): void {
    const visible = (detections as readonly PlacedDetection[]).filter(({ masked }) => !masked);
    const counts = new Map<string, number>();
    for (const { label } of visible) counts.set(label, (counts.get(label) ?? 0) + 1);
    this.counts = counts;
    if (visible.length > 0) this.#anything = at;
    if (seenBy(noHelmet, visible).count > 0) this.#bareHead = at;
  }

  occupied(at: number): boolean {
    return at - this.#anything < HOLD_MS;
  }

  bareHead(at: number): boolean {
    return at - this.#bareHead < HOLD_MS;
  }
}
