/**
 * What the context form knows besides code lengths: static, trained, integers only.
 *
 * Symbols are coded plane by plane (all positions of one channel, then the next channel in `order`). At each symbol a
 * number called *activity* estimates how far the symbol will be from its expected value, in units of 1/2048: a bias,
 * plus weights times the distances that were seen at neighbours in the same plane, and at and around the same position
 * in planes already coded. The activity chooses the stream, and each stream has its own code.
 */

/** Distances count as at most this much in an activity. */
export const DISTANCE_CAP = 7;
/** Activities are sums of `bias` and 4 * weight * distance: weights are in units of 1/512, biases of 1/2048. */
export const WEIGHT_SCALE = 4;
/** Largest activity: weights are checked so that no sum goes beyond. */
export const MAX_ACTIVITY = 65535;
/** Predictions are in units of 1/256 of a level. */
export const PREDICTION_ONE = 256;
/** The steering term of a predicted channel is `(steer * |fraction|) >> STEER_SHIFT`. */
export const STEER_SHIFT = 4;
/** Same-plane neighbours that an activity looks at: left, up, up-left, up-right, left of left, up of up. */
export const NEAR = 6;
export const MAX_SOURCES = 8;
export const MAX_TAPS = 32;
/** Classes of activity before they are mapped to streams: four per octave. */
export const FINE_CLASSES = 64;
/** Classes of |fraction| / 16 of a predicted channel, mapped to sign streams. */
export const SIGN_CLASSES = 9;
export const MAX_STREAMS = 36;
/** In run streams, distances 1 and 2 have tokens of their own; larger ones go on in the tail table. */
export const RUN_DISTANCES = 3;

/** A plane coded before, whose distances raise the activity at the same position and at its four neighbours. */
export interface Source {
  channel: number;
  centre: number;
  around: number;
}

/** One term of a prediction: the value of `channel` at (dy, dx) = (floor(place/3)-1, place%3-1), times weight/256. */
export interface Tap {
  channel: number;
  place: number;
  weight: number;
}

/** A linear prediction of the symbol; the distance is then measured from the rounded prediction. */
export interface Predictor {
  bias: number;
  /** Weight of the distance between the prediction and its rounded value in the activity. */
  steer: number;
  taps: Tap[];
}

export interface ChannelModel {
  /** The symbol that counts as value 0. */
  zero: number;
  /** Activity where nothing was seen around. With a reference frame: one for each of |reference value| 0, 1, >= 2. */
  bias: number[];
  /** Weights of the NEAR neighbours. */
  near: number[];
  sources: Source[];
  predictor?: Predictor;
}

/** A stream's tokens: `run` = zeros before the next non-zero distance and that distance, `direct` = each distance. */
export interface Stream {
  mode: 'run' | 'direct';
  lengths: Uint8Array;
}

export interface ContextModel {
  /** Channels in coding order. */
  order: number[];
  channels: ChannelModel[];
  /** Fine class of activity -> stream. */
  classes: number[];
  streams: Stream[];
  /** Class of |fraction| -> 0 (raw sign bit) or sign stream number 1.. */
  signClasses: number[];
  /** Code lengths of the runs of well predicted signs. */
  signs: Uint8Array[];
  /** Code lengths of distances from RUN_DISTANCES on. */
  tail: Uint8Array;
}

/** Fine class of an activity: 0..3 by itself, then four steps per octave of activity + 4; up to 59. */
export function fineClass(activity: number): number {
  const shift = 29 - Math.clz32(activity + 4);
  return 4 * shift + ((activity + 4) >>> shift) - 4;
}

/** Class of a reference frame's value: 0, 1 or -1, larger. It chooses the bias, and the sign class. */
export function referenceClass(value: number): number {
  return value === 0 ? 0 : value === 1 || value === -1 ? 1 : 2;
}
