import { Histogram } from '../../platform/histogram.js';
import type { Candidate, Link } from './decide.js';
import { computedMs } from './decide.js';
import type { Place } from './place.js';
import type { Timed } from './rows.js';

/** How much is measured of one message size on one link. */
export interface Limits {
  atLeast: number;
  atMost: number;
  forMs: number;
  /** Only one message where it takes longer than this. */
  onceOverMs: number;
  /** One message that would take longer is not sent: its time is computed. */
  computeOverMs: number;
}

export const LIMITS: Readonly<Record<'full' | 'quick', Limits>> = {
  full: { atLeast: 3, atMost: 20, forMs: 1000, onceOverMs: 2000, computeOverMs: 10_000 },
  quick: { atLeast: 3, atMost: 6, forMs: 800, onceOverMs: 1000, computeOverMs: 3000 },
};

const round = (value: number) => Math.round(value * 1000) / 1000;

/** 0.5, 0.25, 0.75, 0.125, ...: however few are taken, they are spread evenly (van der Corput's sequence). */
function spread(i: number): number {
  let value = 0;
  for (let rest = i + 1, half = 0.5; rest > 0; rest >>= 1, half /= 2) value += (rest & 1) * half;
  return value;
}

/**
 * Bytes of the messages in turn, of every picture, or the mean where they are not known: the median first, so that few
 * messages on a slow link stand for all pictures.
 */
export function messageSizes({ kb, kb_images }: Candidate): number[] {
  const sizes = (kb_images?.length ? kb_images : [kb]).map((size) => Math.round(size * 1024)).sort((a, b) => a - b);
  return sizes.map((_, i) => sizes[Math.floor(spread(i) * sizes.length)]);
}

/**
 * Times the messages of one candidate on the link that the place has now.
 * @throws Error where no answer comes
 */
export async function time(place: Place, candidate: Candidate, link: Link, limits: Limits): Promise<Timed> {
  const expected = computedMs(candidate.kb, link);
  if (expected > limits.computeOverMs) {
    return { p50: round(expected), p95: round(expected), messages: 0, computed: true };
  }
  const times = await place.measure({
    sizes: messageSizes(candidate),
    // Opens TCP's window; a large message on a slow link does so by itself.
    warmUp: expected < 500 ? 3 : 0,
    atLeast: expected > limits.onceOverMs ? 1 : limits.atLeast,
    atMost: limits.atMost,
    forMs: limits.forMs,
    timeoutMs: 30_000 + 10 * expected,
  });
  const histogram = new Histogram(times.length);
  for (const ms of times) histogram.add(ms);
  const [p50, p95] = histogram.percentiles(50, 95) as number[];
  return { p50: round(p50), p95: round(p95), messages: times.length, computed: false };
}
