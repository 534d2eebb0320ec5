import type { LinkEstimator } from './estimate.js';

/** How many transfers count (the paper's ten). */
const TRANSFERS = 10;

/**
 * What the link carries: the harmonic mean of the last ten transfers' throughputs, as in the paper (section 3.4). Slow
 * transfers weigh most, so one lucky frame does not raise hopes.
 */
export class HarmonicBandwidth implements LinkEstimator {
  /** Seconds per bit of each transfer. */
  readonly #inverse: number[] = [];

  /** @param profiled bits per second that are assumed before the first transfer */
  constructor(public profiled: number) {}

  /** A finished transfer. @param bytes sent @param ms it took on the link, more than 0 */
  add(bytes: number, ms: number): void {
    if (!(bytes > 0) || !(ms > 0)) return;
    this.#inverse.push(ms / 1000 / (bytes * 8));
    if (this.#inverse.length > TRANSFERS) this.#inverse.shift();
  }

  /** Transfers that count now, 0..10. */
  get transfers(): number {
    return this.#inverse.length;
  }

  /** Bits per second. */
  get bps(): number {
    if (this.#inverse.length === 0) return this.profiled;
    let sum = 0;
    for (const inverse of this.#inverse) sum += inverse;
    return this.#inverse.length / sum;
  }

  /** bytes / B, equation 14's last term. */
  estimate(bytes: number): number {
    return ((bytes * 8) / this.bps) * 1000;
  }

  /** The paper's mean knows no uncertainty. */
  deviation(): number {
    return 0;
  }
}
