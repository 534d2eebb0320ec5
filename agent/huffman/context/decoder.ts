import { HuffmanError } from '../errors.js';
import { Activity } from './activity.js';
import type { CodeReader } from './code-reader.js';
import { fineClass, PREDICTION_ONE, RUN_DISTANCES, referenceClass, STEER_SHIFT } from './model.js';
import type { Plan, PlannedPredictor } from './plan.js';
import { PlaneLoader } from './planes.js';
import { Prediction } from './prediction.js';
import { bucketExtraBits, bucketStart } from './runs.js';

/** Turns payloads into symbols: the mirror of the tokeniser, step for step. */
export class Decoder {
  private readonly activity: Activity;
  private readonly loader: PlaneLoader;
  /** Values of the planes that predictors look at. */
  private readonly values: Int16Array;
  private readonly offsets: Int32Array;
  private readonly references: Int16Array;
  private readonly prediction: Prediction;
  /** Zeros left in each stream's run, -1 where a token comes next; sign streams follow the streams. */
  private readonly runs: Int32Array;
  /** The distance after the run. */
  private readonly pending: Uint8Array;

  constructor(
    private readonly plan: Plan,
    private readonly reader: CodeReader,
  ) {
    const { size } = plan.grid;
    this.activity = new Activity(plan);
    this.loader = new PlaneLoader(plan);
    this.offsets = new Int32Array(plan.order.length).fill(-1);
    let used = 0;
    for (const channel of plan.predictedFrom()) this.offsets[channel] = size * used++;
    this.values = new Int16Array(size * used);
    this.references = new Int16Array(plan.bias[0].length > 1 ? size * plan.order.length : 0);
    this.prediction = new Prediction(plan, this.values, this.offsets);
    this.runs = new Int32Array(plan.tail);
    this.pending = new Uint8Array(plan.tail);
  }

  /**
   * Decodes the payload that the reader was begun on.
   * @throws HuffmanError `truncated`, `corrupt`
   */
  frame(symbols: Uint8Array, reference?: Uint8Array): void {
    const { plan, runs } = this;
    this.values.fill(0);
    this.activity.reset();
    if (reference !== undefined) {
      this.references.fill(0);
      this.loader.load(reference, this.references);
      symbols.set(reference);
    } else {
      const row = plan.zero;
      for (let channel = 0; channel < row.length; channel++) symbols[channel] = row[channel];
      for (let have = row.length; have < symbols.length; have *= 2) symbols.copyWithin(have, 0, have);
    }
    runs.fill(-1);
    for (const channel of plan.order) {
      const predictor = plan.predictors[channel];
      if (predictor === undefined) this.plane(channel, symbols, reference !== undefined);
      else this.predictedPlane(channel, predictor, symbols);
    }
  }

  private plane(channel: number, symbols: Uint8Array, hasReference: boolean): void {
    const { plan, runs } = this;
    const { grid, shape, classes } = plan;
    const { values: activities, fours } = this.activity;
    const quiet = plan.quietFour[channel];
    const quietStream = plan.quietStream[channel];
    const base = channel * grid.size;
    const values = this.offsets[channel];
    const { channels, width } = shape;
    this.activity.begin(channel, hasReference ? this.references : undefined);
    for (let y = 0; y < shape.height; y++) {
      const row = grid.row(y);
      const end = row + width;
      for (let four = row; four < end; four += 4) {
        // Nothing around, and a run that goes on: four symbols in one step.
        if (fours[four >> 2] === quiet && four + 4 <= end) {
          const run = runs[quietStream];
          if (run >= 4) {
            runs[quietStream] = run - 4;
            continue;
          }
        }
        const stop = four + 4 < end ? four + 4 : end;
        for (let place = four; place < stop; place++) {
          const stream = classes[fineClass(activities[place])];
          const run = runs[stream];
          if (run > 0) {
            runs[stream] = run - 1;
            continue;
          }
          const distance = this.distance(stream);
          if (distance === 0) continue;
          const expected = hasReference ? this.references[base + place] : 0;
          const signClass = hasReference ? plan.signClasses[referenceClass(expected)] : 0;
          const negative = this.isNegative(channel, expected, distance, signClass, expected > 0);
          const value = negative ? expected - distance : expected + distance;
          symbols[(y * width + place - row) * channels + channel] = value + plan.zero[channel];
          if (values >= 0) this.values[values + place] = value;
          this.activity.spread(place, distance);
        }
      }
    }
  }

  private predictedPlane(channel: number, predictor: PlannedPredictor, symbols: Uint8Array): void {
    const { plan, runs, values } = this;
    const { grid, shape, classes, signClasses } = plan;
    const activities = this.activity.values;
    const { sums } = this.prediction;
    const { upLeft, up, upRight, left, steer } = predictor;
    const { stride } = grid;
    const offset = this.offsets[channel];
    const low = -plan.zero[channel];
    const high = low + shape.levels - 1;
    const { channels, width } = shape;
    this.activity.begin(channel);
    this.prediction.begin(predictor);
    for (let y = 0; y < shape.height; y++) {
      const row = grid.row(y);
      for (let place = row; place < row + width; place++) {
        const at = offset + place;
        const predicted =
          (sums[place] +
            Math.imul(upLeft, values[at - stride - 1]) +
            Math.imul(up, values[at - stride]) +
            Math.imul(upRight, values[at - stride + 1]) +
            Math.imul(left, values[at - 1])) |
          0;
        let expected = (predicted + PREDICTION_ONE / 2) >> 8;
        if (expected < low) expected = low;
        else if (expected > high) expected = high;
        const fraction = predicted - (expected << 8);
        let size = fraction < 0 ? -fraction : fraction;
        if (size > PREDICTION_ONE / 2) size = PREDICTION_ONE / 2;
        const activity = activities[place] + (Math.imul(steer, size) >> STEER_SHIFT);
        const stream = classes[fineClass(activity)];
        let value = expected;
        const run = runs[stream];
        if (run > 0) runs[stream] = run - 1;
        else {
          const distance = this.distance(stream);
          if (distance !== 0) {
            const negative = this.isNegative(channel, expected, distance, signClasses[size >> 4], fraction < 0);
            value = negative ? expected - distance : expected + distance;
            this.activity.spread(place, distance);
          }
        }
        if (value === 0) continue;
        values[at] = value;
        symbols[(y * width + place - row) * channels + channel] = value + plan.zero[channel];
      }
    }
  }

  /** The next distance of a stream whose run is used up. */
  private distance(stream: number): number {
    const { plan, reader, runs } = this;
    if (plan.isRun[stream] === 0) return reader.symbol(stream);
    if (runs[stream] < 0) {
      const symbol = reader.symbol(stream);
      const bucket = (symbol / RUN_DISTANCES) | 0;
      this.pending[stream] = symbol - bucket * RUN_DISTANCES + 1;
      const run = this.run(bucket);
      if (run > 0) {
        runs[stream] = run - 1;
        return 0;
      }
    }
    runs[stream] = -1;
    const distance = this.pending[stream];
    return distance < RUN_DISTANCES ? distance : RUN_DISTANCES + reader.symbol(plan.tail);
  }

  private run(bucket: number): number {
    const bits = bucketExtraBits(bucket);
    return bucketStart(bucket) + (bits === 0 ? 0 : this.reader.bits(bits));
  }

  /**
   * Which side of the expected value a symbol is on.
   * @param predicted whether it is expected on the negative side (for sign classes above 0)
   * @throws HuffmanError `corrupt` where neither side is in the alphabet
   */
  private isNegative(
    channel: number,
    expected: number,
    distance: number,
    signClass: number,
    predicted: boolean,
  ): boolean {
    const { plan, runs } = this;
    const low = -plan.zero[channel];
    const above = expected + distance < low + plan.shape.levels;
    const below = expected - distance >= low;
    if (!above || !below) {
      if (!above && !below) throw new HuffmanError('corrupt', `a distance of ${distance} leaves the alphabet`);
      return below;
    }
    if (signClass === 0) return this.reader.bits(1) === 1;
    const table = plan.streams + signClass - 1;
    if (runs[table] < 0) runs[table] = this.run(this.reader.symbol(table));
    if (runs[table] > 0) {
      runs[table]--;
      // A run that is used up ends with a sign that was not predicted: 0 stays until then.
      return predicted;
    }
    runs[table] = -1;
    return !predicted;
  }
}
