import { HuffmanError } from '../errors.js';
import type { Plan } from './plan.js';

/**
 * Spreads HWC symbols over planes of values (symbol - zero); what is zero is left as it is.
 * @param planes `[channel * grid.size + place]`, cleared
 * @throws HuffmanError `symbols` where a symbol is not below the number of levels
 */
export function loadPlanes(plan: Plan, symbols: Uint8Array, planes: Int16Array): void {
  const { zero, grid, shape } = plan;
  const { channels, levels } = shape;
  const { size } = grid;
  let i = 0;
  for (let y = 0; y < shape.height; y++) {
    const row = grid.row(y);
    for (let place = row; place < row + shape.width; place++) {
      for (let channel = 0; channel < channels; channel++, i++) {
        const symbol = symbols[i];
        if (symbol === zero[channel]) continue;
        if (symbol >= levels) throw new HuffmanError('symbols', `symbol ${i} is ${symbol}, levels are ${levels}`);
        planes[channel * size + place] = symbol - zero[channel];
      }
    }
  }
}
