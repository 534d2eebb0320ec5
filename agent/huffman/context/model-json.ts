import { checkLengths } from '../canonical.js';
import { asArray, asInteger, asLengths, asObject, fail, formatLengths } from '../json.js';
import { type CodeShape, countSymbols } from '../shape.js';
import * as M from './model.js';
import { bucketCount } from './runs.js';

const MAX_WEIGHT = 8191;
const CAUSAL_PLACES = [0, 1, 2, 3];

/** How many tokens each kind of table has, for a shape. */
export function alphabets(shape: CodeShape): { run: number; direct: number; sign: number; tail: number } {
  const buckets = bucketCount(countSymbols(shape));
  return {
    run: buckets * M.RUN_DISTANCES,
    direct: shape.levels,
    sign: buckets,
    tail: Math.max(1, shape.levels - M.RUN_DISTANCES),
  };
}

/**
 * Reads one model of the context form; docs/entropy.md describes the JSON.
 * @param inter whether the model codes against a reference: three biases, no predictors
 * @throws HuffmanError `tables`
 */
export function readModel(value: unknown, shape: CodeShape, inter: boolean, where: string): M.ContextModel {
  const json = asObject(value, where);
  const { channels: count, levels } = shape;
  const sizes = alphabets(shape);
  const integers = (list: unknown, length: number, min: number, max: number, name: string): number[] =>
    asArray(list, length, length, `${where}.${name}`).map((n, i) => asInteger(n, min, max, `${where}.${name}[${i}]`));
  const table = (text: unknown, size: number, name: string): Uint8Array => {
    const lengths = asLengths(text, size, `${where}.${name}`);
    checkLengths(lengths, `${where}.${name}`);
    return lengths;
  };

  const order = integers(json.order, count, 0, count - 1, 'order');
  const turn = new Int32Array(count).fill(-1);
  order.forEach((channel, i) => {
    if (turn[channel] >= 0) fail(`${where}.order`, `channel ${channel} is there twice`);
    turn[channel] = i;
  });
  const zero = integers(json.zero, count, 0, levels - 1, 'zero');
  const biases = inter ? 3 : 1;
  const bias = integers(json.bias, count * biases, 0, M.MAX_ACTIVITY, 'bias');
  const near = integers(json.near, count * M.NEAR, 0, MAX_WEIGHT, 'near');
  const sourceLists = asArray(json.sources, count, count, `${where}.sources`);
  const predictors = asArray(json.predict, inter ? 0 : count, inter ? 0 : count, `${where}.predict`);
  const before = (channel: number, other: number, name: string) => {
    if (turn[other] >= turn[channel]) fail(name, `channel ${other} is not coded before ${channel}`);
  };
  const channels = order.map((_, channel): M.ChannelModel => {
    const name = `${where}.sources[${channel}]`;
    const flat = asArray(sourceLists[channel], 0, 3 * M.MAX_SOURCES, name);
    if (flat.length % 3 !== 0) fail(name, 'must hold channel, centre, around');
    const sources: M.Source[] = [];
    for (let i = 0; i < flat.length; i += 3) {
      const source = {
        channel: asInteger(flat[i], 0, count - 1, name),
        centre: asInteger(flat[i + 1], 0, MAX_WEIGHT, name),
        around: asInteger(flat[i + 2], 0, MAX_WEIGHT, name),
      };
      before(channel, source.channel, name);
      sources.push(source);
    }
    const model: M.ChannelModel = {
      zero: zero[channel],
      bias: bias.slice(channel * biases, (channel + 1) * biases),
      near: near.slice(channel * M.NEAR, (channel + 1) * M.NEAR),
      sources,
    };
    if (!inter && predictors[channel] !== 0) {
      model.predictor = readPredictor(predictors[channel], channel, count, `${where}.predict[${channel}]`, before);
    }
    if (largestActivity(model) > M.MAX_ACTIVITY) fail(where, `channel ${channel}: the weights add up to too much`);
    return model;
  });

  const streams = asArray(json.streams, 1, M.MAX_STREAMS, `${where}.streams`).map((text, i): M.Stream => {
    const mode = typeof text === 'string' && text[0] === 'r' ? 'run' : 'direct';
    if (typeof text !== 'string' || (text[0] !== 'r' && text[0] !== 'd')) {
      fail(`${where}.streams[${i}]`, 'must start with r or d');
    }
    return { mode, lengths: table(text.slice(1), sizes[mode], `streams[${i}]`) };
  });
  const signs = asArray(json.signs, 0, M.SIGN_CLASSES, `${where}.signs`).map((text, i) =>
    table(text, sizes.sign, `signs[${i}]`),
  );
  return {
    order,
    channels,
    classes: integers(json.classes, M.FINE_CLASSES, 0, streams.length - 1, 'classes'),
    streams,
    signClasses: integers(json.signClasses, M.SIGN_CLASSES, 0, signs.length, 'signClasses'),
    signs,
    tail: table(json.tail, sizes.tail, 'tail'),
  };
}

function readPredictor(
  value: unknown,
  channel: number,
  count: number,
  where: string,
  before: (channel: number, other: number, name: string) => void,
): M.Predictor {
  const flat = asArray(value, 2, 2 + 3 * M.MAX_TAPS, where);
  if (flat.length % 3 !== 2) fail(where, 'must hold bias, steer, then channel, place, weight');
  const taps: M.Tap[] = [];
  for (let i = 2; i < flat.length; i += 3) {
    const tap = {
      channel: asInteger(flat[i], 0, count - 1, where),
      place: asInteger(flat[i + 1], 0, 8, where),
      weight: asInteger(flat[i + 2], -4095, 4095, where),
    };
    if (tap.channel !== channel) before(channel, tap.channel, where);
    else if (!CAUSAL_PLACES.includes(tap.place)) fail(where, `place ${tap.place} is not decoded yet`);
    taps.push(tap);
  }
  return { bias: asInteger(flat[0], -65536, 65536, where), steer: asInteger(flat[1], 0, 4095, where), taps };
}

/** The largest activity that a channel's weights can add up to. */
export function largestActivity(model: M.ChannelModel): number {
  const perDistance =
    model.near.reduce((a, b) => a + b, 0) + model.sources.reduce((sum, s) => sum + s.centre + 4 * s.around, 0);
  const steer = model.predictor ? (model.predictor.steer * (M.PREDICTION_ONE / 2)) >> M.STEER_SHIFT : 0;
  return Math.max(...model.bias) + steer + M.WEIGHT_SCALE * M.DISTANCE_CAP * perDistance;
}

/** The JSON of {@link readModel}. */
export function writeModel(model: M.ContextModel): object {
  const inter = model.channels[0].bias.length > 1;
  return {
    order: model.order,
    zero: model.channels.map((c) => c.zero),
    bias: model.channels.flatMap((c) => c.bias),
    near: model.channels.flatMap((c) => c.near),
    sources: model.channels.map((c) => c.sources.flatMap((s) => [s.channel, s.centre, s.around])),
    predict: inter
      ? []
      : model.channels.map(({ predictor: p }) =>
          p === undefined ? 0 : [p.bias, p.steer, ...p.taps.flatMap((t) => [t.channel, t.place, t.weight])],
        ),
    classes: model.classes,
    streams: model.streams.map((s) => s.mode[0] + formatLengths(s.lengths)),
    signClasses: model.signClasses,
    signs: model.signs.map(formatLengths),
    tail: formatLengths(model.tail),
  };
}
