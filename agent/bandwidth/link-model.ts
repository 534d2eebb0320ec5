import type { LinkEstimator } from './estimate.js';

/** Transfers that count at most; each weighs `RECENCY` of the one after it, and fades with time as well. */
const TRANSFERS = 32;
const RECENCY = 0.88;
const FADE_MS = 20_000;
/** The size for which the prior says something besides the empty message, bytes; and how much it weighs. */
const PRIOR_BYTES = 16 * 1024;
const PRIOR_WEIGHT = 0.2;
/** Without transfers what was believed fades too, if more slowly: anything becomes possible, and worth a trial. */
const PRIOR_FADE_MS = 60_000;
/** But never to nothing: after a night without transfers there is still something to begin with. */
const LEAST_WEIGHT = 1e-3;
/** Least spread of transfers around the model, as a share of their time: links are never steadier than this. */
const LEAST_SPREAD = 0.12;
/** Errors beyond so many spreads are outliers, and weigh less the further out they are (Huber). */
const OUTLIER = 1.5;
/** So far off, twice in a row to the same side and one after the other, and the link is another one than before. */
const CHANGE = 1.6;
const CHANGE_MS = 3;
/** A transfer that did not end in time took at least this much longer. */
const CENSORED = 1.2;
/** Time that no transfer is shorter than, ms: keeps relative errors finite. */
const FLOOR_MS = 0.5;

interface Transfer {
  bytes: number;
  ms: number;
  at: number;
}

interface Fit {
  base: number;
  perByte: number;
  /** Covariance of the two: of base, of both, of perByte. */
  cov: [number, number, number];
}

/**
 * What the link carries: latency = base + bytes / rate. Small payloads measure delay, not bandwidth, so the two are told
 * apart by a fit over recent transfers: weighted least squares of relative errors, newest first, outliers bounded
 * (Huber's weights). Where sizes were too alike to tell, what was believed before stays (a weak prior at two sizes), and
 * `deviation` says how little is known. Two transfers, one after the other, that are far off to the same side are a new
 * link: what came before is forgotten. Two at the same time may be one hiccup.
 */
export class LinkModel implements LinkEstimator {
  #transfers: Transfer[] = [];
  #prior: { base: number; perByte: number };
  #fit: { at: number; value: Fit } | undefined;
  #side = 0;
  /** When the transfer ended that was last found far off. */
  #offAt = Number.NEGATIVE_INFINITY;
  /** When it was last seen that a transfer does not end; undefined once a later one has ended. */
  #stuckAt: number | undefined;
  #seen = 0;
  #at: number;

  /**
   * @param bps bits per second that are assumed before the first transfer
   * @param baseMs delay that is assumed then
   * @param clock ms
   */
  constructor(
    bps: number,
    baseMs: number,
    readonly clock: () => number = () => performance.now(),
  ) {
    this.#prior = { base: baseMs, perByte: 8000 / bps };
    this.#at = clock();
  }

  /** Transfers so far. */
  get transfers(): number {
    return this.#seen;
  }

  /** ms */
  get base(): number {
    return this.#now().base;
  }

  /** Bits per second. */
  get bps(): number {
    return 8000 / this.#now().perByte;
  }

  /** What is assumed from another time, before the first transfer. */
  assume(bps: number, baseMs: number): void {
    if (this.#seen > 0) return;
    this.#prior = { base: baseMs, perByte: 8000 / bps };
    this.#fit = undefined;
  }

  /**
   * A finished transfer.
   * @param bytes both ways together @param ms on the link, both ways, more than 0
   * @returns whether it was far from what was expected
   */
  add(bytes: number, ms: number): boolean {
    if (!(bytes > 0) || !(ms > 0)) return false;
    const before = this.#now();
    const expected = before.base + before.perByte * bytes;
    const side = sideOf(ms, expected);
    const transfer = { bytes, ms, at: this.clock() };
    const sentAt = transfer.at - ms;
    // One that was stuck tells nothing that is not known.
    if (this.#stuckAt !== undefined && sentAt < this.#stuckAt) return false;
    const loose = this.#stuckAt !== undefined && side < 0;
    this.#stuckAt = undefined;
    const together = sentAt < this.#offAt;
    if (loose || (side !== 0 && side === this.#side && !together)) {
      this.#forget(before, bytes, ms);
    } else if (!(together && side === this.#side)) {
      this.#side = side;
      this.#offAt = transfer.at;
    }
    this.#transfers.push(transfer);
    if (this.#transfers.length > TRANSFERS) this.#transfers.shift();
    this.#seen++;
    this.#at = transfer.at;
    this.#fit = undefined;
    const { base, perByte } = this.#now();
    // What was learnt is what is believed when later sizes do not tell.
    this.#prior = { base, perByte };
    return side !== 0;
  }

  /**
   * A transfer that has not ended after so long: the link is another one, if only for now. One transfer that fares
   * better is enough to think better of it again.
   * @param bytes both ways together @param ms waited
   * @returns whether that was news
   */
  addUnfinished(bytes: number, ms: number): boolean {
    const before = this.#now();
    if (before.base + before.perByte * bytes >= ms * CENSORED) return false;
    this.#forget(before, bytes, ms * CENSORED);
    this.#transfers = [];
    this.#stuckAt = this.clock();
    return true;
  }

  /** What a transfer of so many bytes, both ways together, will take, ms. */
  estimate(bytes: number): number {
    const { base, perByte } = this.#now();
    return base + perByte * bytes;
  }

  /** See `LinkEstimator`. */
  deviation(bytes: number, other?: number): number {
    const [ofBase, ofBoth, ofRate] = this.#now().cov;
    if (other !== undefined) return Math.abs(bytes - other) * Math.sqrt(ofRate);
    return Math.sqrt(Math.max(0, ofBase + 2 * bytes * ofBoth + bytes * bytes * ofRate));
  }

  /** The link may be another one now: what is known counts little. */
  doubt(): void {
    const now = this.clock();
    this.#at = Math.min(this.#at, now - 2 * PRIOR_FADE_MS);
    for (const transfer of this.#transfers) transfer.at = Math.min(transfer.at, now - 2 * FADE_MS);
    this.#fit = undefined;
  }

  /** A new link: only the last transfer and this one tell about it. */
  #forget(before: Fit, bytes: number, ms: number): void {
    this.#rebase(before, bytes, ms);
    this.#transfers = this.#transfers.slice(-1);
    this.#side = 0;
    this.#fit = undefined;
  }

  /** The surplus goes to delay and to rate in the proportion in which the transfer consisted of them. */
  #rebase({ base, perByte }: Fit, bytes: number, ms: number): void {
    const factor = ms / Math.max(FLOOR_MS, base + perByte * bytes);
    const share = (perByte * bytes) / Math.max(FLOOR_MS, base + perByte * bytes);
    const blend = (part: number) => Math.max(0.02, 1 + part * (factor - 1));
    this.#prior = { base: base * blend(1 - share), perByte: perByte * blend(share) };
  }

  #now(): Fit {
    const at = this.clock();
    // Weights fade slowly: a fit is good for a while.
    if (!this.#fit || at - this.#fit.at > FADE_MS / 20) this.#fit = { at, value: this.#compute(at) };
    return this.#fit.value;
  }

  #compute(now: number): Fit {
    const { base, perByte } = this.#prior;
    const w = PRIOR_WEIGHT * Math.max(LEAST_WEIGHT, Math.exp((this.#at - now) / PRIOR_FADE_MS));
    const points = [
      { x: 0, y: base, w },
      { x: PRIOR_BYTES, y: base + perByte * PRIOR_BYTES, w },
    ];
    const last = this.#transfers.length - 1;
    for (const [i, { bytes, ms, at }] of this.#transfers.entries()) {
      points.push({ x: bytes, y: ms, w: RECENCY ** (last - i) * Math.exp((at - now) / FADE_MS) });
    }
    let fit: Fit = { base, perByte, cov: [0, 0, 0] };
    for (let round = 0; round < 4; round++) {
      const errors = points.map(({ x, y }) => y / Math.max(FLOOR_MS, fit.base + fit.perByte * x) - 1);
      const spread = spreadOf(points.slice(2), errors.slice(2));
      const weighted = points.map(({ x, y, w }, i) => {
        const scale = Math.max(FLOOR_MS, fit.base + fit.perByte * x);
        // Of two transfers nobody can say which is the odd one.
        const out = i < 2 || points.length < 5 ? 0 : Math.abs(errors[i]) / (OUTLIER * spread);
        return { x, y, weight: w / (scale * scale) / Math.max(1, out) };
      });
      fit = solve(weighted, spread);
    }
    return fit;
  }
}

function sideOf(ms: number, expected: number): number {
  if (Math.abs(ms - expected) < CHANGE_MS) return 0;
  if (ms > expected * CHANGE) return 1;
  return ms * CHANGE < expected ? -1 : 0;
}

/** Weighted mean absolute relative error as a standard deviation. */
function spreadOf(points: readonly { w: number }[], errors: readonly number[]): number {
  let sum = 0;
  let weight = 0;
  for (const [i, { w }] of points.entries()) {
    sum += w * Math.min(1, Math.abs(errors[i]));
    weight += w;
  }
  return Math.max(LEAST_SPREAD, weight > 0 ? (1.25 * sum) / weight : 0);
}

/** Weighted least squares of y = base + perByte x with base >= 0 and perByte > 0. */
function solve(points: readonly { x: number; y: number; weight: number }[], spread: number): Fit {
  let n = 0;
  let sx = 0;
  let sy = 0;
  let sxx = 0;
  let sxy = 0;
  for (const { x, y, weight } of points) {
    n += weight;
    sx += weight * x;
    sy += weight * y;
    sxx += weight * x * x;
    sxy += weight * x * y;
  }
  const det = Math.max(n * sxx - sx * sx, 1e-12 * n * sxx);
  let perByte = (n * sxy - sx * sy) / det;
  let base = (sy - perByte * sx) / n;
  if (base < 0) {
    base = 0;
    perByte = sxy / sxx;
  }
  // A gigabit carries a byte in 8 ns.
  const least = 8e-6;
  if (perByte < least) {
    perByte = least;
    base = Math.max(0, (sy - perByte * sx) / n);
  }
  const variance = spread * spread;
  return { base, perByte, cov: [(variance * sxx) / det, (-variance * sx) / det, (variance * n) / det] };
}
