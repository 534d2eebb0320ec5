import type { CodeShape } from '../shape.js';
import { Grid } from './grid.js';
import { type ContextModel, fineClass, type Source, WEIGHT_SCALE } from './model.js';

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
  /** Fine class of activity -> stream. */
  readonly classes: Uint8Array;
  /** Four activities at a channel's bias, as one number; and their stream. */
  readonly quietFour: number[];
  readonly quietStream: Uint8Array;
  readonly isRun: Uint8Array;
  readonly predictors: (PlannedPredictor | undefined)[];
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
    this.classes = Uint8Array.from(model.classes);
    this.quietFour = channels.map((c) => new Float64Array(Uint16Array.of(...Array(4).fill(c.bias[0])).buffer)[0]);
    this.quietStream = Uint8Array.from(channels, (c) => model.classes[fineClass(c.bias[0])]);
    this.isRun = Uint8Array.from(model.streams, (s) => (s.mode === 'run' ? 1 : 0));
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
    this.signClasses = Uint8Array.from(model.signClasses);
    this.streams = model.streams.length;
    this.tail = this.streams + model.signs.length;
  }

  /** Channels whose values some predictor looks at, in no order. */
  predictedFrom(): Set<number> {
    const used = new Set<number>();
    this.predictors.forEach((p, channel) => {
      if (p === undefined) return;
      used.add(channel);
      for (const { channel: other } of p.others) used.add(other);
    });
    return used;
  }
}
