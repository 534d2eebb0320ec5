import type { ChannelModel, ContextModel, Predictor } from '../../context/model.js';
import { writeModel } from '../../context/model-json.js';
import type { ChannelCounts } from '../counts.js';
import { eachFrame, type TrainingData, TrainingDataError } from '../input.js';
import { countPairs, eachPair } from '../pairs.js';
import { type Distances, measureDistances } from './distances.js';
import { type Effort, effortFor } from './effort.js';
import { fitPredictor } from './predictor.js';
import { type Frames, readSample, type Sample } from './sample.js';
import { finishModel } from './tables.js';
import { fitChannel } from './weights.js';

/** Frames per rate that weights are fitted on; code lengths come from all frames. */
const SAMPLE_FRAMES = 40;

/** Models of all rates, and what each model's contexts are worth to an ideal coder, in bits per frame. */
interface Trained {
  models: ContextModel[];
  idealBits: number[];
}

/** Tables of the context form: one model per rate, and with sequences one more per rate for inter-frame coding. */
export function trainContext(
  data: TrainingData,
  counts: ChannelCounts[],
  sequences: Uint16Array | undefined,
  progress: (line: string) => void,
): { tables: object; idealBits: number[]; interIdealBits?: number[] } {
  const { shape } = data;
  const zero = counts.map((perChannel) => perChannel.map(mostFrequent));
  const frames = counts.map((_, rate) => data.frameRates.reduce((n, r) => n + (r === rate ? 1 : 0), 0));
  const intra = trainModels(data, zero, frames, false, progress, (rate, visit) =>
    eachFrame(data, (symbols, r) => {
      if (r === rate) visit(symbols);
    }),
  );
  const tables: Record<string, unknown> = {
    form: 'context',
    version: 1,
    channels: shape.channels,
    levels: shape.levels,
    models: intra.models.map(writeModel),
  };
  if (sequences === undefined) return { tables, idealBits: intra.idealBits };
  const pairs = countPairs(data, sequences);
  const alone = pairs.indexOf(0);
  if (alone >= 0) throw new TrainingDataError(`rate ${alone} has no two frames of one sequence`);
  const inter = trainModels(data, zero, pairs, true, progress, (rate, visit) =>
    eachPair(data, sequences, (symbols, reference, r) => {
      if (r === rate) visit(symbols, reference);
    }),
  );
  tables.inter = inter.models.map(writeModel);
  return { tables, idealBits: intra.idealBits, interIdealBits: inter.idealBits };
}

function trainModels(
  data: TrainingData,
  zero: number[][],
  frames: number[],
  inter: boolean,
  progress: (line: string) => void,
  read: (rate: number, visit: Parameters<Frames>[0]) => void,
): Trained {
  const { shape } = data;
  const done = frames.map((total, rate) => {
    const name = `${inter ? 'inter-frame, ' : ''}rate ${rate}`;
    const pass: Frames = (visit) => read(rate, visit);
    const sample = readSample(shape, total, zero[rate], SAMPLE_FRAMES, inter, pass);
    const weights = fitWeights(sample, zero[rate], shape.levels, effortFor(shape));
    progress(`${name}: weights fitted on ${sample.frames} frames`);
    const result = finishModel(weights, shape, total, pass);
    const { streams } = result.model;
    progress(`${name}: ${streams.length} streams, ${streams.filter((s) => s.mode === 'run').length} of runs`);
    return result;
  });
  return {
    models: done.map(({ model }) => model),
    idealBits: done.map(({ figures }, rate) => figures.idealBits / frames[rate]),
  };
}

function mostFrequent(counts: Float64Array): number {
  return counts.reduce((best, n, symbol) => (n > counts[best] ? symbol : best), counts.length >> 1);
}

/** Channels by the sum of their values' sizes, largest first: what tells most about the rest is coded first. */
function energyOrder(sample: Sample): number[] {
  const energy = sample.values.map((values) => values.reduce((sum, value) => sum + Math.abs(value), 0));
  return energy.map((_, channel) => channel).sort((a, b) => energy[b] - energy[a] || a - b);
}

function fitWeights(
  sample: Sample,
  zero: number[],
  levels: number,
  effort: Effort,
): Pick<ContextModel, 'order' | 'channels'> {
  const order = energyOrder(sample);
  const channels: ChannelModel[] = new Array(order.length);
  const before = new Map<number, Distances>();
  const inter = sample.references.length > 0;
  order.forEach((channel, turn) => {
    let predictor: Predictor | undefined;
    if (!inter && turn < effort.predicted) {
      predictor = fitPredictor(sample, channel, order.slice(0, turn), effort.minGain, effort.terms);
    }
    const own = measureDistances(sample, channel, predictor, -zero[channel], levels);
    channels[channel] = fitChannel(
      sample,
      own,
      before,
      zero[channel],
      predictor,
      sample.references[channel],
      effort.sources,
    );
    before.set(channel, own);
  });
  return { order, channels };
}
