import type { CodeShape } from '../shape.js';

/**
 * Planes with a margin, so that every neighbour of a position exists: one row above, two below, and at least two
 * columns at the right, which are the left margin of the next row. Rows start at multiples of four places, so that four
 * 16-bit numbers can be compared as one.
 */
export class Grid {
  readonly stride: number;
  /** Numbers per plane. */
  readonly size: number;

  constructor(readonly shape: CodeShape) {
    this.stride = (shape.width + 5) & ~3;
    this.size = (shape.height + 3) * this.stride + 8;
  }

  /** Index of a row's first position in its plane. */
  row(y: number): number {
    return (y + 1) * this.stride + 4;
  }

  /** Where the NEAR neighbours' distances go: from a position to those that have it as left, up, ... neighbour. */
  nearSteps(): number[] {
    const s = this.stride;
    return [1, s, s + 1, s - 1, 2, 2 * s];
  }

  /** From a position to the place of a {@link Tap}. */
  tapStep(place: number): number {
    return (Math.floor(place / 3) - 1) * this.stride + (place % 3) - 1;
  }
}
