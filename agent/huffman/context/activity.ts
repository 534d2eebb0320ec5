import { DISTANCE_CAP, NEAR, referenceClass } from './model.js';
import type { Plan } from './plan.js';

/** The activities of all symbols of a frame, `[channel * grid.size + place]`. */
export class Activity {
  readonly values: Uint16Array;
  /** The same, four at a time. */
  readonly fours: Float64Array;
  private readonly stride: number;
  private readonly size: number;

  constructor(private readonly plan: Plan) {
    this.values = new Uint16Array(plan.bias.length * plan.grid.size);
    this.stride = plan.grid.stride;
    this.size = plan.grid.size;
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
    const { values, plan, stride, size } = this;
    const { near, targetStart, targets } = plan;
    const d = distance < DISTANCE_CAP ? distance : DISTANCE_CAP;
    const at = channel * size + place;
    const n = channel * NEAR;
    values[at + 1] += Math.imul(near[n], d);
    values[at + 2] += Math.imul(near[n + 4], d);
    const below = at + stride;
    values[below - 1] += Math.imul(near[n + 3], d);
    values[below] += Math.imul(near[n + 1], d);
    values[below + 1] += Math.imul(near[n + 2], d);
    values[below + stride] += Math.imul(near[n + 5], d);
    const end = targetStart[channel + 1];
    for (let i = targetStart[channel]; i < end; i += 3) {
      const to = targets[i] + place;
      values[to] += Math.imul(targets[i + 1], d);
      const around = targets[i + 2];
      if (around === 0) continue;
      const raise = Math.imul(around, d);
      values[to - stride] += raise;
      values[to - 1] += raise;
      values[to + 1] += raise;
      values[to + stride] += raise;
    }
  }
}
