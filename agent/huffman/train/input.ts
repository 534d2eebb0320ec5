import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { type CodeShape, countSymbols } from '../shape.js';

/** What the training data holds, checked before the first pass. */
export interface TrainingData {
  path: string;
  shape: CodeShape;
  frames: number;
  /** Rate of each frame. */
  frameRates: Uint8Array;
  rates: number;
}

/** Training data that cannot be used; the message says why. */
export class TrainingDataError extends Error {}

/**
 * Checks the training files against what the command line says of them.
 * @param symbolsPath frames of height*width*channels uint8 symbols, HWC, nothing between them
 * @param ratesPath one byte per frame, its rate; without it all frames have rate 0
 * @throws TrainingDataError
 */
export function openTrainingData(
  symbolsPath: string,
  shape: CodeShape,
  frames: number,
  ratesPath: string | undefined,
): TrainingData {
  const perFrame = countSymbols(shape);
  const size = statSync(symbolsPath).size;
  if (size !== frames * perFrame) {
    throw new TrainingDataError(
      `${symbolsPath} has ${size} bytes; ${frames} frames of ${shape.height}x${shape.width}x${shape.channels} have ${frames * perFrame}`,
    );
  }
  const frameRates = ratesPath === undefined ? new Uint8Array(frames) : new Uint8Array(readFileSync(ratesPath));
  if (frameRates.length !== frames) {
    throw new TrainingDataError(`${ratesPath} has ${frameRates.length} bytes, one per frame would be ${frames}`);
  }
  const rates = 1 + frameRates.reduce((max, rate) => Math.max(max, rate), 0);
  for (let rate = 0; rate < rates; rate++) {
    if (!frameRates.includes(rate))
      throw new TrainingDataError(`no frame has rate ${rate}, the highest is ${rates - 1}`);
  }
  return { path: symbolsPath, shape, frames, frameRates, rates };
}

/**
 * Calls `visit` with every frame in turn; one frame is in memory at a time, and its buffer is used again.
 * @throws TrainingDataError where a symbol is not below `levels`
 */
export function eachFrame(data: TrainingData, visit: (symbols: Uint8Array, rate: number, frame: number) => void): void {
  const { levels } = data.shape;
  const symbols = new Uint8Array(countSymbols(data.shape));
  const file = openSync(data.path, 'r');
  try {
    for (let frame = 0; frame < data.frames; frame++) {
      for (let have = 0; have < symbols.length; ) {
        const read = readSync(file, symbols, have, symbols.length - have, null);
        if (read === 0) throw new TrainingDataError(`${data.path} ended early`);
        have += read;
      }
      const bad = symbols.findIndex((symbol) => symbol >= levels);
      if (bad >= 0) {
        throw new TrainingDataError(
          `${data.path}: frame ${frame} has symbol ${symbols[bad]} at ${bad}, levels are ${levels}`,
        );
      }
      visit(symbols, data.frameRates[frame], frame);
    }
  } finally {
    closeSync(file);
  }
}
