import { DISTANCE_CAP, referenceClass } from './model.js';
import type { Plan } from './plan.js';

/** The activities of all symbols of a frame, `[channel * grid.size + place]`. */
export class Activity {
  readonly values: Uint16Array;
  /** The same, four at a time. */
  readonly fours: Float64Array;

  constructor(private readonly plan: Plan) {
    this.values = new Uint16Array(plan.bias.length * plan.grid.size);
    this.fours = new Float64Array(this.values.buffer);
  }

  /** Every symbol at its channel's bias. */
  reset(): void {
    const { size } = this.plan.grid;
    this.plan.bias.forEach((bias, channel) => {
      this.values.fill(bias[0], channel * size, (channel + 1) * size);
    });
  }

  /** Where a reference frame's value is not zero, the bias that goes with its size (after {@link reset}). */
  expectReference(references: Int16Array): void {
    const { size } = this.plan.grid;
    this.plan.bias.forEach((bias, channel) => {
      for (let i = channel * size; i < (channel + 1) * size; i++) {
        const reference = references[i];
        if (reference !== 0) this.values[i] = bias[referenceClass(reference)];
      }
    });
  }

  /** Raises the activity of what comes after: a symbol of `channel` at `place` was `distance` (> 0) off. */
  spread(channel: number, place: number, distance: number): void {
    const { values, plan } = this;
    const { near, nearSteps, targetStart, targetPlane, targetCentre, targetAround, grid } = plan;
    const d = distance < DISTANCE_CAP ? distance : DISTANCE_CAP;
    const at = channel * grid.size + place;
    const n = channel * 6;
    values[at + 1] += near[n] * d;
    values[at + nearSteps[1]] += near[n + 1] * d;
    values[at + nearSteps[2]] += near[n + 2] * d;
    values[at + nearSteps[3]] += near[n + 3] * d;
    values[at + 2] += near[n + 4] * d;
    values[at + nearSteps[5]] += near[n + 5] * d;
    const { stride } = grid;
    const end = targetStart[channel + 1];
    for (let i = targetStart[channel]; i < end; i++) {
      const to = targetPlane[i] + place;
      values[to] += targetCentre[i] * d;
      const around = targetAround[i] * d;
      if (around !== 0) {
        values[to - stride] += around;
        values[to - 1] += around;
        values[to + 1] += around;
        values[to + stride] += around;
      }
    }
  }
}
