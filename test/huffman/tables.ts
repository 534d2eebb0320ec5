import type { ChannelModel, ContextModel, Predictor } from '../../agent/huffman/context/model.js';
import { alphabets, writeModel } from '../../agent/huffman/context/model-json.js';
import { type CodeShape, codeLengths, writePlainTables } from '../../agent/huffman/index.js';
import type { Random } from './random.js';

/** Random tables of the plain form. */
export function plainTables(random: Random, shape: CodeShape, rates = 1): object {
  const table = () => codeLengths(random.weights(shape.levels));
  return writePlainTables(Array.from({ length: rates }, () => Array.from({ length: shape.channels }, table)));
}

/** A random model: any order, weights, predictors, streams and codes that the format allows. */
export function randomModel(random: Random, shape: CodeShape, inter: boolean): ContextModel {
  const { channels: count, levels } = shape;
  const sizes = alphabets(shape);
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.integer(0, i);
    [order[i], order[j]] = [order[j], order[i]];
  }
  const channels: ChannelModel[] = new Array(count);
  order.forEach((channel, turn) => {
    const earlier = () => order[random.integer(0, turn - 1)];
    channels[channel] = {
      zero: random.next() < 0.7 ? levels >> 1 : random.integer(0, levels - 1),
      bias: Array.from({ length: inter ? 3 : 1 }, () => random.integer(0, random.next() < 0.5 ? 20 : 5000)),
      near: Array.from({ length: 6 }, () => random.integer(0, 120)),
      sources: Array.from({ length: turn === 0 ? 0 : random.integer(0, 4) }, () => ({
        channel: earlier(),
        centre: random.integer(0, 200),
        around: random.next() < 0.5 ? 0 : random.integer(0, 60),
      })),
    };
    if (inter || random.next() < 0.5) return;
    const taps: Predictor['taps'] = [];
    for (let i = random.integer(0, 9); i > 0; i--) {
      const own = turn === 0 || random.next() < 0.5;
      const source = own ? channel : earlier();
      taps.push({ channel: source, place: random.integer(0, own ? 3 : 8), weight: random.integer(-300, 300) });
    }
    channels[channel].predictor = { bias: random.integer(-300, 300), steer: random.integer(0, 2000), taps };
  });
  const streams = random.integer(1, 20);
  const signs = random.integer(0, 4);
  return {
    order,
    channels,
    classes: Array.from({ length: 64 }, () => random.integer(0, streams - 1)),
    streams: Array.from({ length: streams }, () => {
      const mode = random.next() < 0.6 ? 'run' : 'direct';
      return { mode, lengths: codeLengths(random.weights(sizes[mode])) };
    }),
    signClasses: Array.from({ length: 9 }, () => random.integer(0, signs)),
    signs: Array.from({ length: signs }, () => codeLengths(random.weights(sizes.sign))),
    tail: codeLengths(random.weights(sizes.tail)),
  };
}

/** Random tables of the context form. */
export function contextTables(random: Random, shape: CodeShape, rates = 1): Record<string, unknown> {
  const models = Array.from({ length: rates }, () => writeModel(randomModel(random, shape, false)));
  return { form: 'context', version: 1, channels: shape.channels, levels: shape.levels, models };
}

/** Symbols like those of a codec: mostly the middle level, in patches; now and then anything. */
export function patchySymbols(random: Random, shape: CodeShape): Uint8Array {
  const { height, width, channels, levels } = shape;
  const middle = levels >> 1;
  const symbols = new Uint8Array(height * width * channels).fill(middle);
  const busy = random.next() ** 3;
  for (let position = 0; position < height * width; position++) {
    if (random.next() > busy) continue;
    for (let channel = 0; channel < channels; channel++) {
      if (random.next() < 0.6) continue;
      const spread = random.next() < 0.9 ? Math.min(2, middle) : levels;
      const value = middle + random.integer(-spread, spread);
      symbols[position * channels + channel] = Math.max(0, Math.min(levels - 1, value));
    }
  }
  return symbols;
}
