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
    // Several terms in a pass: most of the time is spent on passing over the sums. (Math.imul keeps to integers.)
    sums.fill(predictor.bias, from, to);
    const { others } = predictor;
    const shift = (i: number) => (i < others.length ? offsets[others[i].channel] + others[i].step : 0);
    const weight = (i: number) => (i < others.length ? others[i].weight : 0);
    let i = 0;
    for (; i + 2 < others.length; i += 4) {
      const [a, b, c, d] = [shift(i), shift(i + 1), shift(i + 2), shift(i + 3)];
      const [wa, wb, wc, wd] = [weight(i), weight(i + 1), weight(i + 2), weight(i + 3)];
      for (let place = from; place < to; place++) {
        sums[place] +=
          Math.imul(wa, values[place + a]) +
          Math.imul(wb, values[place + b]) +
          Math.imul(wc, values[place + c]) +
          Math.imul(wd, values[place + d]);
      }
    }
    if (i >= others.length) return;
    const [a, b] = [shift(i), shift(i + 1)];
    const [wa, wb] = [weight(i), weight(i + 1)];
    for (let place = from; place < to; place++) {
      sums[place] += Math.imul(wa, values[place + a]) + Math.imul(wb, values[place + b]);
    }
  }
}
