/**
 * Percentiles of the most recent values, in bounded memory: a ring of the last `capacity` values, sorted only when asked.
 * Exact while no more than `capacity` values have been added.
 */
export class Histogram {
  readonly #ring: Float64Array;
  #added = 0;

  /** @param capacity how many of the latest values count; at least 1 */
  constructor(capacity = 1024) {
    if (!Number.isInteger(capacity) || capacity < 1)
      throw new RangeError(`histogram capacity ${capacity}: at least 1 is needed`);
    this.#ring = new Float64Array(capacity);
  }

  /** Adds a value; NaN and infinities are ignored, so that one bad clock reading spoils nothing. */
  add(value: number): void {
    if (!Number.isFinite(value)) return;
    this.#ring[this.#added % this.#ring.length] = value;
    this.#added++;
  }

  /** How many values were ever added. */
  get added(): number {
    return this.#added;
  }

  /** How many values are held now. */
  get size(): number {
    return Math.min(this.#added, this.#ring.length);
  }

  /** Mean of the held values, or null when there are none. */
  mean(): number | null {
    if (this.size === 0) return null;
    let sum = 0;
    for (const value of this.#held()) sum += value;
    return sum / this.size;
  }

  /**
   * Percentiles of the held values by linear interpolation between ranks (numpy's default).
   * @param percents each 0..100
   * @returns one number per percent; nulls when nothing was added
   */
  percentiles(...percents: number[]): (number | null)[] {
    if (this.size === 0) return percents.map(() => null);
    const sorted = this.#held().slice().sort();
    return percents.map((percent) => {
      const rank = (Math.min(100, Math.max(0, percent)) / 100) * (sorted.length - 1);
      const below = Math.floor(rank);
      const above = Math.min(below + 1, sorted.length - 1);
      return sorted[below] + (sorted[above] - sorted[below]) * (rank - below);
    });
  }

  /** Median of the held values, or null. */
  p50(): number | null {
    return this.percentiles(50)[0];
  }

  /** 95th percentile of the held values, or null. */
  p95(): number | null {
    return this.percentiles(95)[0];
  }

  #held(): Float64Array {
    return this.#ring.subarray(0, this.size);
  }
}
