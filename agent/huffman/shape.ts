import { HuffmanError } from './errors.js';

/** The code that one frame carries: `height * width * channels` symbols 0..levels-1, HWC (channels of a position together). */
export interface CodeShape {
  height: number;
  width: number;
  channels: number;
  levels: number;
}

/** Largest sides and sizes that a coder is opened for; they bound its memory whatever a manifest says. */
export const LIMITS = { side: 65536, channels: 4096, levels: 256, symbols: 1 << 22 } as const;

/**
 * Checks a shape and counts its symbols.
 * @throws HuffmanError `shape`
 */
export function countSymbols(shape: CodeShape): number {
  const { height, width, channels, levels } = shape;
  const check = (name: string, value: unknown, max: number) => {
    if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > max) {
      throw new HuffmanError('shape', `${name} is ${String(value)}, allowed is a whole number from 1 to ${max}`);
    }
  };
  check('height', height, LIMITS.side);
  check('width', width, LIMITS.side);
  check('channels', channels, LIMITS.channels);
  check('levels', levels, LIMITS.levels);
  const count = height * width * channels;
  if (count > LIMITS.symbols) {
    throw new HuffmanError(
      'shape',
      `${height}x${width}x${channels} is ${count} symbols, allowed are ${LIMITS.symbols}`,
    );
  }
  return count;
}
