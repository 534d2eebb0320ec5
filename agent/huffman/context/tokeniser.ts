import { Activity } from './activity.js';
import { PREDICTION_ONE, RUN_DISTANCES, referenceClass, STEER_SHIFT } from './model.js';
import { DIRECT, type Plan, type PlannedPredictor } from './plan.js';
import { Prediction, SUM_ZERO } from './prediction.js';
import { bucketExtraBits } from './runs.js';
import { RAW, TokenList } from './tokens.js';
import { FrameLoader, ValueLists } from './values.js';

// Constants of other modules would be looked up, and checked, each time they are used in a loop.
const ZERO = SUM_ZERO;
const HALF = PREDICTION_ONE / 2;
const STEER = STEER_SHIFT;
const RUNS = RUN_DISTANCES;
const PLAIN = RAW;
const DIRECT_BIT = DIRECT;
const referenceClassOf = referenceClass;
/** More than there are tables. */
const TABLES = 256;

/** Bucket that closes an unfinished run of `run` zeros in the frame: any whose shortest run is at least as long. */
export type Closer = (table: number, run: number) => number;

/** Turns frames into tokens. */
export class Tokeniser {
  readonly tokens = new TokenList();
  private readonly activity: Activity;
  private readonly prediction: Prediction;
  private readonly loader: FrameLoader;
  /** symbol - zero, or symbol - reference */
  private readonly values: ValueLists;
  private readonly references: ValueLists | undefined;
  /** Values of the plane that is being coded, then how far they are from what is expected. */
  private readonly plane: Int16Array;
  private readonly planeFours: Float64Array;
  private readonly referencePlane: Int16Array;
  /** Length of each stream's open run, 0 where none is open; sign streams follow the streams. */
  private readonly runs = new Int32Array(TABLES);
  /** Where the open run's token goes; the second half is never read. */
  private readonly slots = new Int32Array(2 * TABLES);

  constructor(
    private readonly plan: Plan,
    private readonly closer: Closer,
  ) {
    const { size } = plan.grid;
    this.activity = new Activity(plan);
    this.prediction = new Prediction(plan);
    this.loader = new FrameLoader(plan);
    this.values = new ValueLists(plan);
    this.references = plan.bias[0].length > 1 ? new ValueLists(plan) : undefined;
    this.plane = new Int16Array(size);
    this.planeFours = new Float64Array(this.plane.buffer);
    this.referencePlane = new Int16Array(size);
  }

  /**
   * Fills {@link tokens} with a frame.
   * @param reference symbols of the reference frame, for a model that has one
   * @throws HuffmanError `symbols` where a symbol is not below the number of levels
   */
  frame(symbols: Uint8Array, reference?: Uint8Array): void {
    const { plan, tokens, plane, runs, slots, activity, prediction, values, references } = this;
    activity.reset();
    if (reference !== undefined && references !== undefined) this.loader.load(references, reference);
    this.loader.load(values, symbols, reference);
    runs.fill(0);
    tokens.length = 0;
    const perPlane = 3 * plan.shape.height * plan.shape.width;
    for (const channel of plan.order) {
      tokens.reserve(perPlane);
      activity.begin(channel, references);
      plane.fill(0);
      values.spreadTo(channel, plane);
      if (references !== undefined) {
        this.referencePlane.fill(0);
        references.spreadTo(channel, this.referencePlane);
      }
      const predictor = plan.predictors[channel];
      if (predictor === undefined) activity.spreadAll(channel, values);
      else {
        prediction.begin(predictor, values);
        prediction.addOwn(channel, values);
        this.subtract(channel, predictor);
      }
      this.codePlane(channel);
      activity.end(channel);
    }
    for (let table = 0; table < plan.tail; table++) {
      if (runs[table] === 0) continue;
      const bucket = this.closer(table, runs[table]);
      tokens.ids[slots[table]] = (table << 8) | (table < plan.streams ? bucket * RUN_DISTANCES : bucket);
      tokens.extras[slots[table]] = bucketExtraBits(bucket) << 24;
    }
  }

  /**
   * Turns the values of a predicted plane into their differences from what is expected, which goes with the rest that
   * signs ask for to `sums`: expected << 9 | size << 1 | fraction < 0.
   */
  private subtract(channel: number, { steer }: PlannedPredictor): void {
    const { plan, activity, plane, planeFours } = this;
    const { values: activities } = activity;
    const { sums, pairs } = this.prediction;
    const { height, width, levels } = plan.shape;
    const { sums: quietPair, steering } = plan.quiet[channel];
    const low = -plan.zero[channel];
    const high = low + levels - 1;
    for (let y = 0; y < height; y++) {
      const row = plan.grid.row(y);
      const end = row + width;
      for (let four = row; four < end; four += 4) {
        if (pairs[four >> 1] === quietPair && pairs[(four >> 1) + 1] === quietPair && planeFours[four >> 2] === 0) {
          continue;
        }
        // Places right of the picture take part: nothing comes of them.
        const a = residual(sums, activities, plane, four, low, high, steer, steering);
        const b = residual(sums, activities, plane, four + 1, low, high, steer, steering);
        const c = residual(sums, activities, plane, four + 2, low, high, steer, steering);
        const d = residual(sums, activities, plane, four + 3, low, high, steer, steering);
        if (a !== 0) activity.spread(four, a);
        if (b !== 0 && four + 1 < end) activity.spread(four + 1, b);
        if (c !== 0 && four + 2 < end) activity.spread(four + 2, c);
        if (d !== 0 && four + 3 < end) activity.spread(four + 3, d);
      }
    }
  }

  /** Makes tokens of a plane of differences, its activities known. */
  private codePlane(channel: number): void {
    const { plan, tokens, runs, slots, plane, planeFours, referencePlane } = this;
    const { height, width, levels } = plan.shape;
    const { classes, signClasses, tail, streams } = plan;
    const { values: activities, fours } = this.activity;
    const { sums } = this.prediction;
    const { ids, extras } = tokens;
    const { activities: quietFour, stream: quietStream } = plan.quiet[channel];
    const predicted = plan.predictors[channel] !== undefined;
    const inter = this.references !== undefined;
    const low = -plan.zero[channel];
    const high = low + levels - 1;
    let count = tokens.length;
    for (let y = 0; y < height; y++) {
      const row = plan.grid.row(y);
      const end = row + width;
      for (let four = row; four < end; four += 4) {
        // Nothing here, nothing around: four symbols in one step.
        const quietRun = runs[quietStream];
        if (quietRun !== 0) {
          const from = four;
          while (four + 4 <= end && fours[four >> 2] === quietFour && planeFours[four >> 2] === 0) four += 4;
          runs[quietStream] = (quietRun + four - from) | 0;
          if (four >= end) break;
        }
        const stop = four + 4 < end ? four + 4 : end;
        let place = four;
        if (planeFours[four >> 2] === 0 && stop === four + 4) {
          // Nothing here: four streams at once, unless one has no runs.
          const a = classOf(classes, activities[four]);
          const b = classOf(classes, activities[four + 1]);
          const c = classOf(classes, activities[four + 2]);
          const d = classOf(classes, activities[four + 3]);
          if ((a | b | c | d) < DIRECT_BIT) {
            const runA = runs[a];
            slots[a | ((-runA >> 31) & TABLES)] = count;
            count = (count + 1 + (-runA >> 31)) | 0;
            runs[a] = (runA + 1) | 0;
            const runB = runs[b];
            slots[b | ((-runB >> 31) & TABLES)] = count;
            count = (count + 1 + (-runB >> 31)) | 0;
            runs[b] = (runB + 1) | 0;
            const runC = runs[c];
            slots[c | ((-runC >> 31) & TABLES)] = count;
            count = (count + 1 + (-runC >> 31)) | 0;
            runs[c] = (runC + 1) | 0;
            const runD = runs[d];
            slots[d | ((-runD >> 31) & TABLES)] = count;
            count = (count + 1 + (-runD >> 31)) | 0;
            runs[d] = (runD + 1) | 0;
            continue;
          }
        }
        for (; place < stop; place++) {
          const stream = classOf(classes, activities[place]);
          const value = plane[place];
          const run = runs[stream];
          // What happens from here on cannot be foreseen, and a wrong guess costs as much as twenty steps: so masks
          // instead of branches. `open` is -1 if a run is open, else 0, and the run gets the next token.
          const open = -run >> 31;
          if ((value | (stream & DIRECT_BIT)) === 0) {
            slots[stream | (open & TABLES)] = count;
            count = (count + 1 + open) | 0;
            runs[stream] = run + 1;
            continue;
          }

          const negative = value >>> 31;
          const distance = (value ^ -negative) + negative;
          if (stream < DIRECT_BIT) {
            const slot = count + ((slots[stream] - count) & open);
            count = (count + 1 + open) | 0;
            const bucket = bucketOf(run);
            const shown = distance < RUNS ? distance : RUNS;
            ids[slot] = (stream << 8) | ((bucket & 255) * RUNS + shown - 1);
            extras[slot] = extraOf(bucket, run);
            runs[stream] = 0;
            if (distance >= RUNS) {
              ids[count] = (tail << 8) | (distance - RUNS);
              extras[count] = 0;
              count = (count + 1) | 0;
            }
          } else {
            ids[count] = ((stream - DIRECT_BIT) << 8) | distance;
            extras[count] = 0;
            count = (count + 1) | 0;
            if (value === 0) continue;
          }

          let expected = 0;
          let signClass = 0;
          let expectsNegative = 0;
          if (predicted) {
            const sum = sums[place];
            expected = sum >> 9;
            signClass = signClasses[(sum >> 5) & 15];
            expectsNegative = sum & 1;
          } else if (inter) {
            expected = referencePlane[place];
            signClass = signClasses[referenceClassOf(expected)];
            expectsNegative = -expected >>> 31;
          }
          // Is there a choice?
          if (expected - distance < low || expected + distance > high) continue;
          if (signClass === 0) {
            ids[count] = PLAIN;
            extras[count] = (1 << 24) | negative;
            count = (count + 1) | 0;
            continue;
          }
          // The token is written in any case: if the run goes on, it will be written again.
          const table = streams + signClass - 1;
          const signRun = runs[table];
          const signOpen = -signRun >> 31;
          const slot = count + ((slots[table] - count) & signOpen);
          count = (count + 1 + signOpen) | 0;
          const bucket = bucketOf(signRun);
          ids[slot] = (table << 8) | (bucket & 255);
          extras[slot] = extraOf(bucket, signRun);
          slots[table] = slot;
          runs[table] = (signRun + 1) & ((negative ^ expectsNegative) - 1);
        }
      }
    }
    tokens.length = count;
  }
}

/** One place of {@link Tokeniser.subtract}; returns the distance. */
function residual(
  sums: Int32Array,
  activities: Uint16Array,
  plane: Int16Array,
  place: number,
  low: number,
  high: number,
  steer: number,
  steering: number,
): number {
  const sum = (sums[place] - ZERO) | 0;
  let expected = (sum + HALF) >> 8;
  if (expected < low) expected = low;
  else if (expected > high) expected = high;
  const fraction = (sum - (expected << 8)) | 0;
  const negative = fraction >>> 31;
  let size = ((fraction ^ -negative) + negative) | 0;
  if (size > HALF) size = HALF;
  activities[place] += ((Math.imul(steer, size) >> STEER) - steering) | 0;
  sums[place] = (expected << 9) | (size << 1) | negative;
  const value = (plane[place] - expected) | 0;
  plane[place] = value;
  return value < 0 ? -value : value;
}

function classOf(classes: Uint8Array, activity: number): number {
  const octave = 29 - Math.clz32(activity + 4);
  return classes[4 * octave + ((activity + 4) >>> octave) - 4];
}

/** Bucket of a run (see runs.ts) | its extra bits << 8, without a branch. */
function bucketOf(run: number): number {
  const octave = 31 - Math.clz32(run | 8);
  const large = (7 - run) >> 31;
  return (run & ~large) | ((((octave - 1) << 8) | (2 * octave + 2 + ((run >>> (octave - 1)) & 1))) & large);
}

/** The extra bits of a token, from {@link bucketOf}. */
function extraOf(bucket: number, run: number): number {
  const bits = bucket >>> 8;
  return (bits << 24) | (run & ((1 << bits) - 1));
}
