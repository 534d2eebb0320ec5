import type { Plan, PlannedPredictor } from './plan.js';
import { entryPlace, entryValue, type ValueLists } from './values.js';

// Functions of other modules would be looked up, and checked, each time they are called in a loop.
const placeIn = entryPlace;
const valueIn = entryValue;

/**
 * Sums are kept with this added: two of them then never look like a floating-point NaN, which would not equal itself.
 * No sum is as large, and it is a multiple of PREDICTION_ONE.
 */
export const SUM_ZERO = 1 << 28;

/**
 * The sums of the terms of one plane's prediction. Values are spread to the places that they help to predict: most are
 * zero, so that is less work than to gather all terms at each place.
 */
export class Prediction {
  /** Per place: SUM_ZERO + bias + terms, in 1/256. */
  readonly sums: Int32Array;
  /** The same, two at a time. */
  readonly pairs: Float64Array;
  private readonly stride: number;
  // Of the plane that is being coded.
  private left = 0;
  private upRight = 0;
  private up = 0;
  private upLeft = 0;

  constructor(plan: Plan) {
    this.sums = new Int32Array(plan.grid.size);
    this.pairs = new Float64Array(this.sums.buffer);
    this.stride = plan.grid.stride;
  }

  /**
   * Prepares the sums for a plane: the bias, and the terms of other planes.
   * @param values of the planes coded before
   */
  begin(predictor: PlannedPredictor, values: ValueLists): void {
    this.sums.fill(SUM_ZERO + predictor.bias);
    for (const { channel, step, weight } of predictor.others) this.add(values, channel, step, weight);
    this.left = predictor.left;
    this.upRight = predictor.upRight;
    this.up = predictor.up;
    this.upLeft = predictor.upLeft;
  }

  /** Adds the terms of all values of the plane itself, where they are known. */
  addOwn(channel: number, values: ValueLists): void {
    if (this.left !== 0) this.add(values, channel, -1, this.left);
    if (this.upRight !== 0) this.add(values, channel, 1 - this.stride, this.upRight);
    if (this.up !== 0) this.add(values, channel, -this.stride, this.up);
    if (this.upLeft !== 0) this.add(values, channel, -this.stride - 1, this.upLeft);
  }

  /** Adds one term: `step` is from a place to where the value is. */
  private add(values: ValueLists, channel: number, step: number, weight: number): void {
    const { sums } = this;
    const { entries } = values;
    const start = channel * values.capacity;
    const end = start + values.counts[channel];
    // Four a turn, as each turn checks the arrays anew.
    let i = start;
    for (; i + 4 <= end; i += 4) {
      const a = entries[i];
      const b = entries[i + 1];
      const c = entries[i + 2];
      const d = entries[i + 3];
      sums[placeIn(a) - step] += Math.imul(weight, valueIn(a));
      sums[placeIn(b) - step] += Math.imul(weight, valueIn(b));
      sums[placeIn(c) - step] += Math.imul(weight, valueIn(c));
      sums[placeIn(d) - step] += Math.imul(weight, valueIn(d));
    }
    for (; i < end; i++) sums[placeIn(entries[i]) - step] += Math.imul(weight, valueIn(entries[i]));
  }

  /** Adds the terms of a value of the plane itself. */
  spread(place: number, value: number): void {
    const { sums } = this;
    const below = place + this.stride;
    sums[place + 1] += Math.imul(this.left, value);
    sums[below - 1] += Math.imul(this.upRight, value);
    sums[below] += Math.imul(this.up, value);
    sums[below + 1] += Math.imul(this.upLeft, value);
  }
}
