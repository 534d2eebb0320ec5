import { Activity } from './activity.js';
import { fineClass, PREDICTION_ONE, RUN_DISTANCES, referenceClass, STEER_SHIFT } from './model.js';
import type { Plan, PlannedPredictor } from './plan.js';
import { PlaneLoader } from './planes.js';
import { Prediction } from './prediction.js';
import { bucketExtraBits, bucketStart, runBucket } from './runs.js';
import { RAW, TokenList } from './tokens.js';

/** Bucket that closes an unfinished run of `run` zeros in the frame: any whose shortest run is at least as long. */
export type Closer = (table: number, run: number) => number;

/** Turns frames into tokens. */
export class Tokeniser {
  readonly tokens = new TokenList();
  private readonly activity: Activity;
  private readonly loader: PlaneLoader;
  /** Values (symbol - zero, or symbol - reference) of all planes. */
  private readonly values: Int16Array;
  /** The same, four at a time. */
  private readonly valueFours: Float64Array;
  private readonly references: Int16Array;
  private readonly prediction: Prediction;
  /** Length of each stream's open run, -1 where none is open; sign streams follow the streams. */
  private readonly runs: Int32Array;
  private readonly slots: Int32Array;

  constructor(
    private readonly plan: Plan,
    private readonly closer: Closer,
  ) {
    const total = plan.order.length * plan.grid.size;
    this.activity = new Activity(plan);
    this.loader = new PlaneLoader(plan);
    this.values = new Int16Array(total);
    this.valueFours = new Float64Array(this.values.buffer);
    this.references = new Int16Array(plan.bias[0].length > 1 ? total : 0);
    const offsets = Int32Array.from(plan.order, (_, channel) => channel * plan.grid.size);
    this.prediction = new Prediction(plan, this.values, offsets);
    this.runs = new Int32Array(plan.tail);
    this.slots = new Int32Array(plan.tail);
  }

  /**
   * Fills {@link tokens} with a frame.
   * @param reference symbols of the reference frame, for a model that has one
   * @throws HuffmanError `symbols` where a symbol is not below the number of levels
   */
  frame(symbols: Uint8Array, reference?: Uint8Array): void {
    const { plan, runs, tokens } = this;
    this.values.fill(0);
    this.activity.reset();
    this.loader.load(symbols, this.values);
    if (reference !== undefined) {
      this.references.fill(0);
      this.loader.load(reference, this.references);
      for (let i = 0; i < this.values.length; i++) this.values[i] -= this.references[i];
    }
    runs.fill(-1);
    tokens.length = 0;
    const perPlane = 3 * plan.shape.height * plan.shape.width;
    for (const channel of plan.order) {
      tokens.reserve(perPlane);
      const predictor = plan.predictors[channel];
      if (predictor === undefined) this.plane(channel, reference !== undefined);
      else this.predictedPlane(channel, predictor);
    }
    for (let table = 0; table < runs.length; table++) {
      if (runs[table] < 0) continue;
      const bucket = this.closer(table, runs[table]);
      tokens.ids[this.slots[table]] = (table << 8) | (table < plan.streams ? bucket * RUN_DISTANCES : bucket);
      tokens.extras[this.slots[table]] = bucketExtraBits(bucket) << 24;
    }
  }

  private plane(channel: number, hasReference: boolean): void {
    const { plan, values, valueFours, runs } = this;
    const { grid, shape, classes } = plan;
    const { values: activities, fours } = this.activity;
    const quiet = plan.quietFour[channel];
    const quietStream = plan.quietStream[channel];
    const base = channel * grid.size;
    this.activity.begin(channel, hasReference ? this.references : undefined);
    for (let y = 0; y < shape.height; y++) {
      const end = grid.row(y) + shape.width;
      for (let four = grid.row(y); four < end; four += 4) {
        // Nothing here, nothing around: four symbols in one step.
        if (fours[four >> 2] === quiet && valueFours[(base + four) >> 2] === 0 && four + 4 <= end) {
          const run = runs[quietStream];
          if (run >= 0) {
            runs[quietStream] = run + 4;
            continue;
          }
        }
        const stop = four + 4 < end ? four + 4 : end;
        for (let place = four; place < stop; place++) {
          const stream = classes[fineClass(activities[place])];
          const value = values[base + place];
          if (value === 0) {
            const run = runs[stream];
            if (run >= 0) runs[stream] = run + 1;
            else this.noDistance(stream);
            continue;
          }
          const expected = hasReference ? this.references[base + place] : 0;
          const distance = value < 0 ? -value : value;
          this.distance(stream, distance);
          if (this.signIsFree(channel, expected, distance)) {
            const signClass = hasReference ? plan.signClasses[referenceClass(expected)] : 0;
            this.sign(signClass, value < 0, expected > 0);
          }
          this.activity.spread(place, distance);
        }
      }
    }
  }

  private predictedPlane(channel: number, predictor: PlannedPredictor): void {
    const { plan, values, runs } = this;
    const { grid, shape, classes, signClasses } = plan;
    const activities = this.activity.values;
    const { sums } = this.prediction;
    const { upLeft, up, upRight, left, steer } = predictor;
    const { stride } = grid;
    const base = channel * grid.size;
    const low = -plan.zero[channel];
    const high = low + shape.levels - 1;
    this.activity.begin(channel);
    this.prediction.begin(predictor);
    for (let y = 0; y < shape.height; y++) {
      const row = grid.row(y);
      for (let place = row; place < row + shape.width; place++) {
        const at = base + place;
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
        const value = values[at] - expected;
        if (value === 0) {
          const run = runs[stream];
          if (run >= 0) runs[stream] = run + 1;
          else this.noDistance(stream);
          continue;
        }
        const distance = value < 0 ? -value : value;
        this.distance(stream, distance);
        if (this.signIsFree(channel, expected, distance)) {
          this.sign(signClasses[size >> 4], value < 0, fraction < 0);
        }
        this.activity.spread(place, distance);
      }
    }
  }

  /** Whether a value `distance` above and one below the expected are both in the alphabet. */
  private signIsFree(channel: number, expected: number, distance: number): boolean {
    const low = -this.plan.zero[channel];
    return expected - distance >= low && expected + distance < low + this.plan.shape.levels;
  }

  /** A symbol as expected, in a stream without an open run. */
  private noDistance(stream: number): void {
    const { tokens, plan } = this;
    if (plan.isRun[stream] !== 0) {
      this.slots[stream] = tokens.length++;
      this.runs[stream] = 1;
    } else {
      tokens.ids[tokens.length] = stream << 8;
      tokens.extras[tokens.length++] = 0;
    }
  }

  private distance(stream: number, distance: number): void {
    const { tokens, plan } = this;
    if (plan.isRun[stream] === 0) {
      tokens.ids[tokens.length] = (stream << 8) | distance;
      tokens.extras[tokens.length++] = 0;
      return;
    }
    const shown = distance < RUN_DISTANCES ? distance : RUN_DISTANCES;
    this.endRun(stream, RUN_DISTANCES, shown - 1);
    if (shown === RUN_DISTANCES) {
      tokens.ids[tokens.length] = (plan.tail << 8) | (distance - RUN_DISTANCES);
      tokens.extras[tokens.length++] = 0;
    }
  }

  /** A sign: plain for sign class 0, else in runs of signs that are as predicted. */
  private sign(signClass: number, negative: boolean, predicted: boolean): void {
    const { tokens, runs, slots } = this;
    if (signClass === 0) {
      tokens.ids[tokens.length] = RAW;
      tokens.extras[tokens.length++] = (1 << 24) | (negative ? 1 : 0);
      return;
    }
    const table = this.plan.streams + signClass - 1;
    if (negative !== predicted) this.endRun(table, 1, 0);
    else if (runs[table] >= 0) runs[table]++;
    else {
      slots[table] = tokens.length++;
      runs[table] = 1;
    }
  }

  /** Fills in the token of a run that ends here; `kind` tells apart the `perBucket` tokens of a bucket. */
  private endRun(table: number, perBucket: number, kind: number): void {
    const { tokens, runs, slots } = this;
    let run = runs[table];
    let slot = slots[table];
    if (run < 0) {
      run = 0;
      slot = tokens.length++;
    }
    const bucket = runBucket(run);
    tokens.ids[slot] = (table << 8) | (bucket * perBucket + kind);
    tokens.extras[slot] = (bucketExtraBits(bucket) << 24) | (run - bucketStart(bucket));
    runs[table] = -1;
  }
}
