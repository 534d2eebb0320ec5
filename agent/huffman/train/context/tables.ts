import type { ContextModel, Stream } from '../../context/model.js';
import { FINE_CLASSES, RUN_DISTANCES, SIGN_CLASSES } from '../../context/model.js';
import { alphabets } from '../../context/model-json.js';
import { Plan } from '../../context/plan.js';
import { Tokeniser } from '../../context/tokeniser.js';
import { codeLengths, smoothed } from '../../lengths.js';
import type { CodeShape } from '../../shape.js';
import { entropyBits } from '../counts.js';
import { mergeGroups, partition } from './partition.js';
import type { Frames } from './sample.js';
import { plainCloser, TokenStatistics } from './statistics.js';

/** Bits per frame that one more stream is taken to cost: its last, cut off run. */
const STREAM_BITS = 4;
/** A sign stream must cost less than this many bits per sign, or plain bits are written. */
const MAX_SIGN_BITS = 0.97;
const MAX_STREAMS = 24;

/** What the contexts of a model are worth. */
export interface ContextFigures {
  /** Bits of an ideal arithmetic coder with the same streams and sign streams, all frames. */
  idealBits: number;
}

/**
 * Gives a model with weights its streams and code lengths: a first pass counts distances per fine class of activity,
 * classes are merged where that costs least, and a second pass counts the tokens of the merged streams.
 */
export function finishModel(
  model: Pick<ContextModel, 'order' | 'channels'>,
  shape: CodeShape,
  frames: number,
  pass: Frames,
): { model: ContextModel; figures: ContextFigures } {
  const sizes = alphabets(shape);
  const direct = (): Stream => ({ mode: 'direct', lengths: new Uint8Array(0) });
  const fine: ContextModel = {
    ...model,
    classes: Array.from({ length: FINE_CLASSES }, (_, i) => i),
    streams: Array.from({ length: FINE_CLASSES }, direct),
    signClasses: Array.from({ length: SIGN_CLASSES }, (_, i) => i + 1),
    signs: Array.from({ length: SIGN_CLASSES }, () => new Uint8Array(0)),
    tail: new Uint8Array(0),
  };
  const first = tokenStatistics(fine, shape, pass);
  const histograms = first.counts.slice(0, FINE_CLASSES).map((h) => h.slice(0, shape.levels));
  let price = STREAM_BITS * frames;
  let classes = partition(histograms, price);
  while (Math.max(...classes) >= MAX_STREAMS) {
    price *= 2;
    classes = partition(histograms, price);
  }
  const merged = mergeGroups(histograms, classes);

  const signPairs = Array.from({ length: SIGN_CLASSES }, (_, i) => {
    const table = FINE_CLASSES + i;
    const missed = first.counts[table].reduce((a, b) => a + b, 0);
    return Float64Array.of(first.runSum[table], missed);
  });
  const signClasses = signGroups(signPairs, frames);
  const signStreams = Math.max(0, ...signClasses);

  // Second pass with every stream as runs; a stream whose distances are cheaper one by one becomes a direct one.
  const runs: ContextModel = {
    ...fine,
    classes,
    streams: merged.map(() => ({ mode: 'run', lengths: new Uint8Array(0) })),
    signClasses,
    signs: Array.from({ length: signStreams }, () => new Uint8Array(0)),
  };
  const second = tokenStatistics(runs, shape, pass);
  const tail = new Float64Array(sizes.tail);
  const streams = merged.map((histogram, i): Stream => {
    const directLengths = codeLengths(smoothed(histogram));
    const tokens = second.counts[i].slice(0, sizes.run);
    const runLengths = codeLengths(smoothed(tokens));
    const beyond = histogram.slice(RUN_DISTANCES);
    const runCost = cost(runLengths, tokens) + second.extraBits[i] + entropyBits(beyond);
    if (cost(directLengths, histogram) < runCost) return { mode: 'direct', lengths: directLengths };
    beyond.forEach((n, distance) => {
      tail[distance] += n;
    });
    return { mode: 'run', lengths: runLengths };
  });
  const signs = Array.from({ length: signStreams }, (_, i) =>
    codeLengths(smoothed(second.counts[merged.length + i].slice(0, sizes.sign))),
  );
  const idealBits =
    merged.reduce((sum, h) => sum + entropyBits(h), 0) +
    second.rawBits +
    mergeGroups(signPairs, signClasses)
      .slice(1)
      .reduce((sum, h) => sum + entropyBits(h), 0);
  return {
    model: { ...runs, streams, signs, tail: codeLengths(smoothed(tail)) },
    figures: { idealBits },
  };
}

function tokenStatistics(model: ContextModel, shape: CodeShape, pass: Frames): TokenStatistics {
  const plan = new Plan(model, shape);
  const tokeniser = new Tokeniser(plan, plainCloser);
  const statistics = new TokenStatistics(plan.tail + 1);
  pass((symbols, reference) => {
    tokeniser.frame(symbols, reference);
    statistics.add(tokeniser.tokens);
  });
  return statistics;
}

function cost(lengths: Uint8Array, counts: Float64Array): number {
  return counts.reduce((sum, n, i) => sum + n * lengths[i], 0);
}

/** Sign classes that pay become streams, neighbours together; the others are plain bits (0). */
function signGroups(pairs: Float64Array[], frames: number): number[] {
  const groups = partition(pairs, STREAM_BITS * frames);
  const merged = mergeGroups(pairs, groups);
  const names = new Map<number, number>();
  merged.forEach((pair, group) => {
    const total = pair[0] + pair[1];
    if (total > 0 && pair[0] > pair[1] && entropyBits(pair) < MAX_SIGN_BITS * total) names.set(group, names.size + 1);
  });
  return groups.map((group) => names.get(group) ?? 0);
}
