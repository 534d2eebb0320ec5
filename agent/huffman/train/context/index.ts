import type { ChannelModel, ContextModel, Predictor } from '../../context/model.js';
import { writeModel } from '../../context/model-json.js';
import type { ChannelCounts } from '../counts.js';
import { eachFrame, type TrainingData } from '../input.js';
import { type Distances, measureDistances } from './distances.js';
import { fitPredictor } from './predictor.js';
import { readSamples, type Sample } from './sample.js';
import { finishModel } from './tables.js';
import { fitChannel } from './weights.js';

/** Frames per rate that weights are fitted on; code lengths come from all frames. */
const SAMPLE_FRAMES = 40;
/** Only this many first channels are predicted, and looked at by predictions. */
const PREDICTED = 24;

/** Tables of the context form, one model per rate, and what each model's contexts are worth in bits per frame. */
export function trainContext(
  data: TrainingData,
  counts: ChannelCounts[],
  progress: (line: string) => void,
): { tables: object; idealBits: number[] } {
  const { shape } = data;
  const zero = counts.map((perChannel) => perChannel.map(mostFrequent));
  const samples = readSamples(data, zero, SAMPLE_FRAMES);
  const done = samples.map((sample, rate) => {
    const weights = fitWeights(sample, zero[rate], energyOrder(counts[rate], zero[rate]), shape.levels);
    progress(`rate ${rate}: weights fitted on ${sample.frames} frames`);
    const frames = data.frameRates.reduce((n, r) => n + (r === rate ? 1 : 0), 0);
    const result = finishModel(weights, shape, frames, (visit) =>
      eachFrame(data, (symbols, r) => {
        if (r === rate) visit(symbols);
      }),
    );
    const { streams } = result.model;
    progress(`rate ${rate}: ${streams.length} streams, ${streams.filter((s) => s.mode === 'run').length} of runs`);
    return { model: result.model, idealBits: result.figures.idealBits / frames };
  });
  const tables = {
    form: 'context',
    version: 1,
    channels: shape.channels,
    levels: shape.levels,
    models: done.map(({ model }) => writeModel(model)),
  };
  return { tables, idealBits: done.map((d) => d.idealBits) };
}

function mostFrequent(counts: Float64Array): number {
  return counts.reduce((best, n, symbol) => (n > counts[best] ? symbol : best), counts.length >> 1);
}

/** Channels by the sum of their distances from zero, largest first: what tells most about the rest is coded first. */
function energyOrder(counts: ChannelCounts, zero: number[]): number[] {
  const energy = counts.map((perSymbol, channel) =>
    perSymbol.reduce((sum, n, symbol) => sum + n * Math.abs(symbol - zero[channel]), 0),
  );
  return counts.map((_, channel) => channel).sort((a, b) => energy[b] - energy[a] || a - b);
}

function fitWeights(
  sample: Sample,
  zero: number[],
  order: number[],
  levels: number,
): Pick<ContextModel, 'order' | 'channels'> {
  const channels: ChannelModel[] = new Array(order.length);
  const before = new Map<number, Distances>();
  order.forEach((channel, turn) => {
    let predictor: Predictor | undefined;
    if (turn < PREDICTED) predictor = fitPredictor(sample, channel, order.slice(0, turn));
    const own = measureDistances(sample, channel, predictor, -zero[channel], levels);
    channels[channel] = fitChannel(sample, own, before, zero[channel], predictor);
    before.set(channel, own);
  });
  return { order, channels };
}
