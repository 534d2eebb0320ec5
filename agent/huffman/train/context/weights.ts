import { type ChannelModel, MAX_ACTIVITY, NEAR, PREDICTION_ONE, type Predictor } from '../../context/model.js';
import { largestActivity } from '../../context/model-json.js';
import type { Distances } from './distances.js';
import { fitActivity, type Rows } from './fit.js';
import type { Sample } from './sample.js';

/** Only the first source is looked at around the position too: the others would add 0.2% for twice the work. */
const AROUND = 1;
const WEIGHT_ONE = 512;
const BIAS_ONE = 2048;
const STEER_ONE = 128;

/** Steps from a position to its NEAR neighbours. */
function nearSteps(sample: Sample): number[] {
  return sample.grid.nearSteps().map((step) => -step);
}

/**
 * Fits one channel's activity: chooses the planes to look at, two at a time, by how well they explain what the weights
 * so far do not, and fits all weights together.
 * @param before distances of the channels coded before, by channel
 * @param most how many planes to look at
 * @param references classes of the channel's reference values, if there are any: they choose among three biases
 */
export function fitChannel(
  sample: Sample,
  own: Distances,
  before: Map<number, Distances>,
  zero: number,
  predictor: Predictor | undefined,
  references: Uint8Array | undefined,
  most: number,
): ChannelModel {
  const chosen: number[] = [];
  let rows = buildRows(sample, own, chosen, before, references);
  let weights = fitActivity(rows, 12);
  while (chosen.length < most && before.size > chosen.length) {
    const scores = scoreSources(sample, own, before, chosen, rows, weights);
    if (scores.length === 0) break;
    for (const { channel } of scores.slice(0, Math.min(2, most - chosen.length))) chosen.push(channel);
    rows = buildRows(sample, own, chosen, before, references);
    weights = fitActivity(rows, chosen.length < most ? 12 : 40);
  }
  return quantise(weights, chosen, zero, predictor, references !== undefined);
}

/** The features of every position: neighbours, centre and around of each source, then the reference's class or the steering fraction. */
function buildRows(
  sample: Sample,
  own: Distances,
  chosen: number[],
  before: Map<number, Distances>,
  references: Uint8Array | undefined,
): Rows {
  const { places, grid } = sample;
  const near = nearSteps(sample);
  const sources = chosen.map((channel) => (before.get(channel) as Distances).capped);
  const aroundSources = sources.slice(0, AROUND);
  const extras = references !== undefined ? 2 : own.fraction !== undefined ? 1 : 0;
  const features = NEAR + sources.length + aroundSources.length + extras;
  const s = grid.stride;
  const rows: Rows = {
    features,
    x: new Float32Array(places.length * features),
    y: new Float32Array(places.length),
    count: 0,
    at: new Int32Array(places.length),
    quietCount: 0,
    quietSum: 0,
  };
  for (let i = 0; i < places.length; i++) {
    const place = places[i];
    const base = rows.count * features;
    let any = 0;
    for (let j = 0; j < NEAR; j++) any |= rows.x[base + j] = own.capped[place + near[j]];
    let column = base + NEAR;
    for (const source of sources) any |= rows.x[column++] = source[place];
    for (const source of aroundSources) {
      any |= rows.x[column++] = source[place - s] + source[place - 1] + source[place + 1] + source[place + s];
    }
    if (references !== undefined) {
      any |= references[place];
      rows.x[column++] = references[place] === 1 ? 1 : 0;
      rows.x[column] = references[place] === 2 ? 1 : 0;
    } else if (own.fraction !== undefined) {
      rows.x[column] = own.fraction[i] / PREDICTION_ONE;
      any |= own.fraction[i];
    }
    if (any === 0) {
      rows.quietCount++;
      rows.quietSum += own.exact[i];
      continue;
    }
    rows.at[rows.count] = place;
    rows.y[rows.count++] = own.exact[i];
  }
  return rows;
}

function scoreSources(
  sample: Sample,
  own: Distances,
  before: Map<number, Distances>,
  chosen: number[],
  rows: Rows,
  weights: Float64Array,
): { channel: number; score: number }[] {
  // Slope of the code length at every position: how much less or more than expected was seen there.
  const slope = new Float32Array(own.capped.length);
  const bias = weights[rows.features];
  const places = sample.places;
  for (let i = 0; i < places.length; i++) {
    slope[places[i]] = own.exact[i] / bias - (1 + own.exact[i]) / (1 + bias);
  }
  for (let row = 0; row < rows.count; row++) {
    let mean = bias;
    for (let j = 0; j < rows.features; j++) mean += weights[j] * rows.x[row * rows.features + j];
    slope[rows.at[row]] = rows.y[row] / mean - (1 + rows.y[row]) / (1 + mean);
  }
  const scores: { channel: number; score: number }[] = [];
  for (const [channel, { nonzero, capped }] of before) {
    if (chosen.includes(channel) || nonzero.length === 0) continue;
    let sum = 0;
    let power = 0;
    for (const place of nonzero) {
      sum += slope[place] * capped[place];
      power += capped[place] ** 2;
    }
    const score = sum / Math.sqrt(power);
    if (score > 0) scores.push({ channel, score });
  }
  return scores.sort((a, b) => b.score - a.score || a.channel - b.channel);
}

function toBias(mean: number): number {
  return Math.max(1, Math.min(20000, Math.round(mean * BIAS_ONE)));
}

function quantise(
  weights: Float64Array,
  chosen: number[],
  zero: number,
  predictor: Predictor | undefined,
  inter: boolean,
): ChannelModel {
  let scale = WEIGHT_ONE;
  for (;;) {
    const weight = (i: number) => Math.min(8191, Math.round(weights[i] * scale));
    const sources = chosen.map((channel, i) => ({
      channel,
      centre: weight(NEAR + i),
      around: i < AROUND ? weight(NEAR + chosen.length + i) : 0,
    }));
    const features = NEAR + chosen.length + Math.min(AROUND, chosen.length);
    const bias = weights[weights.length - 1];
    const model: ChannelModel = {
      zero,
      bias: inter ? [bias, bias + weights[features], bias + weights[features + 1]].map(toBias) : [toBias(bias)],
      near: Array.from({ length: NEAR }, (_, i) => weight(i)),
      sources: sources.filter((s) => s.centre > 0 || s.around > 0),
    };
    if (predictor !== undefined) {
      model.predictor = { ...predictor, steer: Math.min(4095, Math.round(weights[features] * STEER_ONE)) };
    }
    if (largestActivity(model) <= MAX_ACTIVITY) return model;
    scale *= 0.9;
  }
}
