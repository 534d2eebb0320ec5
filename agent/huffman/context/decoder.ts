import { HuffmanError } from '../errors.js';
import { Activity } from './activity.js';
import {
  DISTANCE_SHIFT,
  decodingTables,
  EXTRA_MASK,
  EXTRA_SHIFT,
  INDEX_BITS,
  INDEX_MASK,
  REST_MASK,
  RUN_MASK,
  RUN_SHIFT,
} from './code-tables.js';
import { PREDICTION_ONE, RUN_DISTANCES, referenceClass, STEER_SHIFT } from './model.js';
import type { Plan } from './plan.js';
import { Prediction, SUM_ZERO } from './prediction.js';
import { FrameLoader, ValueLists, valueEntry } from './values.js';

// Names of other modules would be looked up, and checked, each time they are used in a loop.
const ZERO = SUM_ZERO;
const HALF = PREDICTION_ONE / 2;
const STEER = STEER_SHIFT;
const RUNS = RUN_DISTANCES;
const BITS = INDEX_BITS;
const MASK = INDEX_MASK;
const REST = REST_MASK;
const EXTRA = EXTRA_SHIFT;
const EXTRAS = EXTRA_MASK;
const START = RUN_SHIFT;
const STARTS = RUN_MASK;
const DISTANCE = DISTANCE_SHIFT;
const referenceClassOf = referenceClass;
const entryOf = valueEntry;
/** Bits that a look at four bytes shows at least. */
const WINDOW_BITS = 25;
/** The state of a stream is `RUN_ONE * zeros left + distance after them`. */
const RUN_ONE = 4;

/** Turns payloads into symbols: the mirror of the tokeniser, step for step. */
export class Decoder {
  private readonly activity: Activity;
  private readonly prediction: Prediction;
  private readonly loader: FrameLoader;
  /** Values of the planes that predictors look at. */
  private readonly values: ValueLists;
  private readonly references: ValueLists | undefined;
  private readonly referencePlane: Int16Array;
  private readonly tables: Int32Array;
  /** Fine class of activity -> stream. */
  private readonly classes: Uint8Array;
  /**
   * Of each stream: zeros left in its run and the distance after it; 0 where a token comes next. Of the sign streams,
   * which follow: signs left in the run, its end included.
   */
  private readonly runs: Int32Array;
  /** Next bit of the payload. */
  private bit = 0;

  constructor(private readonly plan: Plan) {
    this.activity = new Activity(plan);
    this.prediction = new Prediction(plan);
    this.loader = new FrameLoader(plan);
    this.values = new ValueLists(plan);
    this.references = plan.bias[0].length > 1 ? new ValueLists(plan) : undefined;
    this.referencePlane = new Int16Array(plan.grid.size);
    this.classes = Uint8Array.from(plan.model.classes);
    this.tables = decodingTables(plan.model);
    this.runs = new Int32Array(plan.tail);
  }

  /**
   * Decodes a payload.
   * @param payload holds the payload from byte 0, and 16 bytes more that may be read but mean nothing
   * @param bytes the payload's length
   * @returns the bit after the last one used
   * @throws HuffmanError `truncated`, `corrupt`
   */
  frame(payload: DataView, bytes: number, symbols: Uint8Array, reference?: Uint8Array): number {
    const { plan, activity, prediction, references } = this;
    activity.reset();
    if (reference !== undefined && references !== undefined) {
      this.loader.load(references, reference);
      symbols.set(reference);
    } else {
      const row = plan.zero;
      for (let channel = 0; channel < row.length; channel++) symbols[channel] = row[channel];
      for (let have = row.length; have < symbols.length; have *= 2) symbols.copyWithin(have, 0, have);
    }
    this.values.counts.fill(0);
    this.runs.fill(0);
    this.bit = 0;
    for (const channel of plan.order) {
      activity.begin(channel, references);
      const predictor = plan.predictors[channel];
      if (predictor !== undefined) prediction.begin(predictor, this.values);
      if (references !== undefined) {
        this.referencePlane.fill(0);
        references.spreadTo(channel, this.referencePlane);
      }
      this.decodePlane(channel, payload, bytes * 8, symbols);
      activity.end(channel);
    }
    return this.bit;
  }

  private decodePlane(channel: number, payload: DataView, endBit: number, symbols: Uint8Array): void {
    const { plan, runs, tables, classes, activity, prediction, referencePlane } = this;
    const { height, width, channels } = plan.shape;
    const { signClasses } = plan;
    const { values: activities, fours } = activity;
    const { sums, pairs } = prediction;
    const { activities: quietFour, sums: quietPair, stream: quietStream } = plan.quiet[channel];
    const predictor = plan.predictors[channel];
    const predicted = predictor !== undefined;
    const steer = predicted ? predictor.steer : 0;
    const { steering } = plan.quiet[channel];
    const inter = this.references !== undefined;
    const zero = plan.zero[channel];
    const low = -zero;
    const high = low + plan.shape.levels - 1;
    const { entries, capacity } = this.values;
    const isLookedAt = plan.isLookedAt[channel] !== 0;
    let listed = channel * capacity;
    let bit = this.bit;
    for (let y = 0; y < height; y++) {
      const row = plan.grid.row(y);
      const end = row + width;
      for (let four = row; four < end; four += 4) {
        const stop = four + 4 < end ? four + 4 : end;
        let place = four;
        if (
          stop === four + 4 &&
          (!predicted || (pairs[four >> 1] === quietPair && pairs[(four >> 1) + 1] === quietPair))
        ) {
          // Nothing predicted. Nothing around, and a run that goes on: four symbols in one step.
          if (fours[four >> 2] === quietFour) {
            const run = runs[quietStream];
            if (run >= 4 * RUN_ONE) {
              runs[quietStream] = run - 4 * RUN_ONE;
              continue;
            }
          }
          // Else as many as there are zeros; in a row, not in a loop, which would check the arrays at each turn.
          const a = classOf(classes, activities[four]);
          const b = classOf(classes, activities[four + 1]);
          const c = classOf(classes, activities[four + 2]);
          const d = classOf(classes, activities[four + 3]);
          const runA = runs[a];
          if (runA >= RUN_ONE) {
            runs[a] = runA - RUN_ONE;
            place++;
            const runB = runs[b];
            if (runB >= RUN_ONE) {
              runs[b] = runB - RUN_ONE;
              place++;
              const runC = runs[c];
              if (runC >= RUN_ONE) {
                runs[c] = runC - RUN_ONE;
                place++;
                const runD = runs[d];
                if (runD >= RUN_ONE) {
                  runs[d] = runD - RUN_ONE;
                  continue;
                }
              }
            }
          }
        }
        for (; place < stop; place++) {
          let expected = 0;
          let fraction = 0;
          let size = 0;
          let active = activities[place];
          if (predicted) {
            const sum = (sums[place] - ZERO) | 0;
            expected = (sum + HALF) >> 8;
            if (expected < low) expected = low;
            else if (expected > high) expected = high;
            fraction = (sum - (expected << 8)) | 0;
            const sign = fraction >> 31;
            size = ((fraction ^ sign) - sign) | 0;
            if (size > HALF) size = HALF;
            active = (active + (Math.imul(steer, size) >> STEER) - steering) | 0;
          }
          const stream = classOf(classes, active);
          let value = expected;
          const run = runs[stream];
          if (run >= RUN_ONE) runs[stream] = run - RUN_ONE;
          else {
            let distance = run;
            if (run !== 0) runs[stream] = 0;
            else {
              const window = payload.getUint32(bit >>> 3, true) >>> (bit & 7);
              let entry = tables[(stream << BITS) | (window & MASK)];
              if (entry < 0) entry = tables[~entry + ((window >>> BITS) & REST)];
              const length = entry & 15;
              const extra = (entry >>> EXTRA) & EXTRAS;
              bit = (bit + length) | 0;
              const more =
                length + extra <= WINDOW_BITS ? window >>> length : payload.getUint32(bit >>> 3, true) >>> (bit & 7);
              bit = (bit + extra) | 0;
              if (bit > endBit) throw truncated();
              const zeros = (((entry >>> START) & STARTS) << extra) + (more & ((1 << extra) - 1));
              distance = entry >>> DISTANCE;
              if (zeros !== 0) {
                runs[stream] = Math.imul(zeros - 1, RUN_ONE) + distance;
                distance = 0;
              }
            }
            if (distance !== 0) {
              if (distance >= RUNS) {
                if (distance > RUNS) distance--;
                else {
                  const window = payload.getUint32(bit >>> 3, true) >>> (bit & 7);
                  let entry = tables[(plan.tail << BITS) | (window & MASK)];
                  if (entry < 0) entry = tables[~entry + ((window >>> BITS) & REST)];
                  bit = (bit + (entry & 15)) | 0;
                  if (bit > endBit) throw truncated();
                  distance += entry >>> DISTANCE;
                }
              }
              activity.spread(place, distance);

              let signClass = 0;
              let negative = fraction >>> 31;
              if (predicted) signClass = signClasses[size >> 4];
              else if (inter) {
                expected = referencePlane[place];
                signClass = signClasses[referenceClassOf(expected)];
                negative = -expected >>> 31;
              }
              const below = expected - distance >= low;
              if (below && expected + distance <= high) {
                if (signClass === 0) {
                  negative = (payload.getUint8(bit >>> 3) >>> (bit & 7)) & 1;
                  bit = (bit + 1) | 0;
                  if (bit > endBit) throw truncated();
                } else {
                  const table = plan.streams + signClass - 1;
                  let left = runs[table];
                  if (left === 0) {
                    const window = payload.getUint32(bit >>> 3, true) >>> (bit & 7);
                    let entry = tables[(table << BITS) | (window & MASK)];
                    if (entry < 0) entry = tables[~entry + ((window >>> BITS) & REST)];
                    const length = entry & 15;
                    const extra = (entry >>> EXTRA) & EXTRAS;
                    bit = (bit + length) | 0;
                    const more =
                      length + extra <= WINDOW_BITS
                        ? window >>> length
                        : payload.getUint32(bit >>> 3, true) >>> (bit & 7);
                    bit = (bit + extra) | 0;
                    if (bit > endBit) throw truncated();
                    left = (((entry >>> START) & STARTS) << extra) + (more & ((1 << extra) - 1)) + 1;
                  }
                  // A run ends with a sign that was not predicted.
                  if (left === 1) negative ^= 1;
                  runs[table] = left - 1;
                }
              } else if (below) negative = 1;
              else if (expected + distance <= high) negative = 0;
              else throw new HuffmanError('corrupt', `a distance of ${distance} leaves the alphabet`);
              value = expected + ((distance ^ -negative) + negative);
              if (inter) symbols[(y * width + place - row) * channels + channel] = value + zero;
            }
          }
          if (value === 0 || inter) continue;
          symbols[(y * width + place - row) * channels + channel] = value + zero;
          if (predicted) prediction.spread(place, value);
          if (isLookedAt) entries[listed++] = entryOf(place, value);
        }
      }
    }
    this.bit = bit;
    this.values.counts[channel] = listed - channel * capacity;
  }
}

function classOf(classes: Uint8Array, activity: number): number {
  const octave = 29 - Math.clz32(activity + 4);
  return classes[4 * octave + ((activity + 4) >>> octave) - 4];
}

function truncated(): HuffmanError {
  return new HuffmanError('truncated', 'the payload ends too early');
}
