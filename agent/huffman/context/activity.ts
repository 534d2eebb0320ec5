import { DISTANCE_CAP, NEAR, referenceClass } from './model.js';
import type { Plan } from './plan.js';

/** Distances are kept as `place << DISTANCE_BITS | capped distance`. */
const DISTANCE_BITS = 3;

/**
 * The activities of the plane that is being coded. What planes before it add comes from lists of their distances when
 * the plane begins, what the plane itself adds comes while it is coded: all of it stays in the fastest cache.
 */
export class Activity {
  /** Per place of the grid. */
  readonly values: Uint16Array;
  /** The same, four at a time. */
  readonly fours: Float64Array;
  private readonly stride: number;
  /** The distances of all planes so far, one plane after the other. */
  private readonly distances: Int32Array;
  private readonly starts: Int32Array;
  private readonly ends: Int32Array;
  private count = 0;
  // Of the plane that is being coded.
  private channel = 0;
  private left = 0;
  private up = 0;
  private upLeft = 0;
  private upRight = 0;
  private leftOfLeft = 0;
  private upOfUp = 0;

  constructor(private readonly plan: Plan) {
    const { height, width, channels } = plan.shape;
    this.stride = plan.grid.stride;
    this.values = new Uint16Array(plan.grid.size);
    this.fours = new Float64Array(this.values.buffer);
    this.distances = new Int32Array(height * width * channels);
    this.starts = new Int32Array(channels);
    this.ends = new Int32Array(channels);
  }

  /** Starts a frame. */
  reset(): void {
    this.count = 0;
  }

  /**
   * Starts a plane: the bias (or that of each reference value's class), and what the planes it looks at tell.
   * @param references values of the reference frame, `[channel * grid.size + place]`
   */
  begin(channel: number, references?: Int16Array): void {
    const { values, plan, stride, distances, starts, ends } = this;
    const bias = plan.bias[channel];
    values.fill(bias[0]);
    if (references !== undefined) {
      const base = channel * plan.grid.size;
      for (let place = 0; place < values.length; place++) {
        const reference = references[base + place];
        if (reference !== 0) values[place] = bias[referenceClass(reference)];
      }
    }
    for (const { channel: source, centre, around } of plan.sources[channel]) {
      const end = ends[source];
      if (around === 0) {
        for (let i = starts[source]; i < end; i++) {
          values[distances[i] >> DISTANCE_BITS] += Math.imul(centre, distances[i] & DISTANCE_CAP);
        }
        continue;
      }
      for (let i = starts[source]; i < end; i++) {
        const place = distances[i] >> DISTANCE_BITS;
        const d = distances[i] & DISTANCE_CAP;
        const raise = Math.imul(around, d);
        values[place - stride] += raise;
        values[place - 1] += raise;
        values[place] += Math.imul(centre, d);
        values[place + 1] += raise;
        values[place + stride] += raise;
      }
    }
    this.channel = channel;
    [this.left, this.up, this.upLeft, this.upRight, this.leftOfLeft, this.upOfUp] = plan.near.subarray(
      channel * NEAR,
      (channel + 1) * NEAR,
    );
    starts[channel] = this.count;
    ends[channel] = this.count;
  }

  /** Notes that the symbol at `place` was `distance` (> 0) off, and raises the activity of those it is a neighbour of. */
  spread(place: number, distance: number): void {
    const { values, stride } = this;
    const d = distance < DISTANCE_CAP ? distance : DISTANCE_CAP;
    const below = place + stride;
    values[place + 1] += Math.imul(this.left, d);
    values[place + 2] += Math.imul(this.leftOfLeft, d);
    values[below - 1] += Math.imul(this.upRight, d);
    values[below] += Math.imul(this.up, d);
    values[below + 1] += Math.imul(this.upLeft, d);
    values[below + stride] += Math.imul(this.upOfUp, d);
    this.distances[this.count++] = (place << DISTANCE_BITS) | d;
    this.ends[this.channel] = this.count;
  }
}
