import type { Plan, PlannedPredictor } from './plan.js';

/** Predicted values of one plane, as far as planes coded before tell them. */
export class Prediction {
  /** Sums of the terms from other planes, in 1/256, per place. */
  readonly sums: Int32Array;

  /**
   * @param values symbol values (symbol - zero) of planes, margins 0
   * @param offsets where a channel's plane starts in `values`
   */
  constructor(
    private readonly plan: Plan,
    private readonly values: Int16Array,
    private readonly offsets: Int32Array,
  ) {
    this.sums = new Int32Array(plan.grid.size);
  }

  /** Prepares the sums for a plane. */
  begin(predictor: PlannedPredictor): void {
    const { sums, values, offsets, plan } = this;
    const from = plan.grid.row(0);
    const to = plan.grid.row(plan.shape.height);
    sums.fill(predictor.bias);
    for (const { channel, step, weight } of predictor.others) {
      const shift = offsets[channel] + step;
      for (let place = from; place < to; place++) sums[place] += weight * values[place + shift];
    }
  }
}
