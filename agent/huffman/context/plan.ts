import type { CodeShape } from '../shape.js';
import { Grid } from './grid.js';
import {
  type ChannelModel,
  type ContextModel,
  fineClass,
  PREDICTION_ONE,
  type Source,
  STEER_SHIFT,
  WEIGHT_SCALE,
} from './model.js';
import { SUM_ZERO } from './prediction.js';

/** Tells direct streams from those of runs: there are fewer tables than this. */
export const DIRECT = 128;

/** A predictor with its steps in a grid: terms of other planes, and the four of the channel's own plane. */
export interface PlannedPredictor {
  bias: number;
  steer: number;
  /** Planes coded before: channel, step and weight of each term. */
  others: { channel: number; step: number; weight: number }[];
  upLeft: number;
  up: number;
  upRight: number;
  left: number;
}

/** How a channel looks where nothing was seen around and nothing is predicted: symbols that are passed over four at a time. */
export interface Quiet {
  /** The activity there, the predictor's steering included; and four of them as one number. */
  activity: number;
  activities: number;
  /** What of it is steering. */
  steering: number;
  /** Two prediction sums as one number; NaN, which equals nothing, where the predictor's bias is no expected value of 0. */
  sums: number;
  /** The stream of such symbols. */
  stream: number;
}

/** A model laid out for one shape. */
export class Plan {
  readonly grid: Grid;
  readonly order: number[];
  readonly zero: Int32Array;
  readonly bias: number[][];
  /** `[channel * NEAR + i]`, scaled. */
  readonly near: Int32Array;
  /** Per channel, weights scaled. */
  readonly sources: Source[][];
  /** Fine class of activity -> stream, and DIRECT if it is a direct one. */
  readonly classes: Uint8Array;
  readonly quiet: Quiet[];
  readonly predictors: (PlannedPredictor | undefined)[];
  /** Whether some other channel's predictor looks at a channel's values. */
  readonly isLookedAt: Uint8Array;
  readonly signClasses: Uint8Array;
  /** Numbers of tables: streams, then sign streams, then the tail. */
  readonly streams: number;
  readonly tail: number;

  constructor(
    readonly model: ContextModel,
    readonly shape: CodeShape,
  ) {
    const grid = new Grid(shape);
    const { channels } = model;
    this.grid = grid;
    this.order = model.order;
    this.zero = Int32Array.from(channels, (c) => c.zero);
    this.bias = channels.map((c) => c.bias);
    this.near = Int32Array.from(channels.flatMap((c) => c.near.map((w) => w * WEIGHT_SCALE)));
    this.sources = channels.map((c) =>
      c.sources.map((s) => ({
        channel: s.channel,
        centre: s.centre * WEIGHT_SCALE,
        around: s.around * WEIGHT_SCALE,
      })),
    );
    this.classes = Uint8Array.from(model.classes, (stream) =>
      model.streams[stream].mode === 'direct' ? stream | DIRECT : stream,
    );
    this.quiet = channels.map((c) => this.quietOf(c));
    this.predictors = channels.map(({ predictor }, channel) => {
      if (predictor === undefined) return undefined;
      const own = (place: number) =>
        predictor.taps.reduce((sum, t) => sum + (t.channel === channel && t.place === place ? t.weight : 0), 0);
      return {
        bias: predictor.bias,
        steer: predictor.steer,
        others: predictor.taps
          .filter((t) => t.channel !== channel)
          .map((t) => ({ channel: t.channel, step: grid.tapStep(t.place), weight: t.weight })),
        upLeft: own(0),
        up: own(1),
        upRight: own(2),
        left: own(3),
      };
    });
    this.isLookedAt = new Uint8Array(channels.length);
    for (const p of this.predictors) for (const { channel } of p?.others ?? []) this.isLookedAt[channel] = 1;
    this.signClasses = Uint8Array.from(model.signClasses);
    this.streams = model.streams.length;
    this.tail = this.streams + model.signs.length;
  }

  private quietOf({ bias, predictor }: ChannelModel): Quiet {
    const size = predictor === undefined ? 0 : Math.min(Math.abs(predictor.bias), PREDICTION_ONE / 2);
    const steering = predictor === undefined ? 0 : (predictor.steer * size) >> STEER_SHIFT;
    const activity = bias[0] + steering;
    const sum = SUM_ZERO + (predictor?.bias ?? 0);
    return {
      activity,
      activities: new Float64Array(Uint16Array.of(activity, activity, activity, activity).buffer)[0],
      steering,
      sums: size < PREDICTION_ONE / 2 ? new Float64Array(Int32Array.of(sum, sum).buffer)[0] : Number.NaN,
      stream: this.model.classes[fineClass(activity)],
    };
  }
}
