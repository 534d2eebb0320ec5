import { DISTANCE_CAP, NEAR, referenceClass } from './model.js';
import type { Plan } from './plan.js';
import { entryPlace, entryValue, type ValueLists } from './values.js';

// Names of other modules would be looked up, and checked, each time they are used in a loop.
const CAP = DISTANCE_CAP;
const placeIn = entryPlace;
const valueIn = entryValue;
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
   * Starts a plane: the activity where nothing was seen (or the bias of each reference value's class), and what the
   * planes it looks at tell.
   * @param references values of the reference frame
   */
  begin(channel: number, references?: ValueLists): void {
    const { values, plan, starts, ends } = this;
    values.fill(plan.quiet[channel].activity);
    if (references !== undefined) {
      const bias = plan.bias[channel];
      const start = channel * references.capacity;
      const end = start + references.counts[channel];
      for (let i = start; i < end; i++) {
        const entry = references.entries[i];
        values[entryPlace(entry)] = bias[referenceClass(entryValue(entry))];
      }
    }
    for (const { channel: source, centre, around } of plan.sources[channel]) {
      this.raise(starts[source], ends[source], centre, around);
    }
    [this.left, this.up, this.upLeft, this.upRight, this.leftOfLeft, this.upOfUp] = plan.near.subarray(
      channel * NEAR,
      (channel + 1) * NEAR,
    );
    starts[channel] = this.count;
  }

  /** Adds what the distances from `start` to `end` of the list tell. */
  private raise(start: number, end: number, centre: number, around: number): void {
    const { values, stride, distances } = this;
    if (around === 0) {
      // Four a turn, as each turn checks the arrays anew.
      let i = start;
      for (; i + 4 <= end; i += 4) {
        const a = distances[i];
        const b = distances[i + 1];
        const c = distances[i + 2];
        const d = distances[i + 3];
        values[a >> DISTANCE_BITS] += Math.imul(centre, a & CAP);
        values[b >> DISTANCE_BITS] += Math.imul(centre, b & CAP);
        values[c >> DISTANCE_BITS] += Math.imul(centre, c & CAP);
        values[d >> DISTANCE_BITS] += Math.imul(centre, d & CAP);
      }
      for (; i < end; i++) values[distances[i] >> DISTANCE_BITS] += Math.imul(centre, distances[i] & CAP);
      return;
    }
    for (let i = start; i < end; i++) {
      const entry = distances[i];
      const place = entry >> DISTANCE_BITS;
      const d = entry & CAP;
      const raise = Math.imul(around, d);
      values[place - stride] += raise;
      values[place - 1] += raise;
      values[place] += Math.imul(centre, d);
      values[place + 1] += raise;
      values[place + stride] += raise;
    }
  }

  /** Notes that the symbol at `place` was `distance` (> 0) off, and raises the activity of those it is a neighbour of. */
  spread(place: number, distance: number): void {
    const { values, stride } = this;
    const d = distance < CAP ? distance : CAP;
    const below = place + stride;
    values[place + 1] += Math.imul(this.left, d);
    values[place + 2] += Math.imul(this.leftOfLeft, d);
    values[below - 1] += Math.imul(this.upRight, d);
    values[below] += Math.imul(this.up, d);
    values[below + 1] += Math.imul(this.upLeft, d);
    values[below + stride] += Math.imul(this.upOfUp, d);
    this.distances[this.count++] = (place << DISTANCE_BITS) | d;
  }

  /** The same for all values of a plane, where they are the distances and known. */
  spreadAll(channel: number, values: ValueLists): void {
    const { entries } = values;
    const start = channel * values.capacity;
    const end = start + values.counts[channel];
    for (let i = start; i < end; i++) {
      const value = valueIn(entries[i]);
      this.spread(placeIn(entries[i]), value < 0 ? -value : value);
    }
  }

  /** Ends the plane that was begun last. */
  end(channel: number): void {
    this.ends[channel] = this.count;
  }
}
