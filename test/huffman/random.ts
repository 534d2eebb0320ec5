/** Seeded random numbers for property tests (xorshift32): a failing case can be run again. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = (seed * 2654435761) | 1;
    for (let i = 0; i < 8; i++) this.next();
  }

  /** 0 <= x < 1 */
  next(): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return (this.state >>> 0) / 2 ** 32;
  }

  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.integer(0, 255));
  }

  /** Symbols that follow `weights`. */
  symbols(length: number, weights: ArrayLike<number>): Uint8Array {
    const total = Array.from(weights).reduce((a, b) => a + b, 0);
    return Uint8Array.from({ length }, () => {
      let rest = this.next() * total;
      for (let symbol = 0; symbol < weights.length; symbol++) {
        rest -= weights[symbol];
        if (rest < 0) return symbol;
      }
      return weights.length - 1;
    });
  }

  /** Weights from flat to steep. */
  weights(levels: number): Float64Array {
    const steepness = this.next() * 2;
    const weights = Float64Array.from(
      { length: levels },
      (_, i) => 1e6 * Math.exp(-steepness * i) * (0.5 + this.next()),
    );
    for (let i = levels - 1; i > 0; i--) {
      const j = this.integer(0, i);
      [weights[i], weights[j]] = [weights[j], weights[i]];
    }
    return weights;
  }
}
