import { HuffmanError } from './errors.js';

/** @throws HuffmanError `rate` */
export function checkRate(rate: number, rates: number): void {
  if (!Number.isInteger(rate) || rate < 0 || rate >= rates) {
    throw new HuffmanError('rate', `rate ${rate} is not in the tables, which hold ${rates}`);
  }
}

/** @throws HuffmanError `symbols` */
export function checkSymbols(symbols: Uint8Array, count: number): void {
  if (symbols.length !== count) {
    throw new HuffmanError('symbols', `${symbols.length} symbols, a frame has ${count}`);
  }
}

/**
 * Copies a finished payload to the caller's buffer.
 * @throws HuffmanError `space`
 */
export function emit(work: Uint8Array, length: number, out: Uint8Array): number {
  if (length > out.length) {
    throw new HuffmanError('space', `the payload has ${length} bytes, the buffer ${out.length}`);
  }
  out.set(work.subarray(0, length));
  return length;
}

/**
 * Checks that a stream was used up: no byte left over, and zeros in the rest of its last byte.
 * @param payload ends where the stream ends
 * @param start the stream's first byte
 * @param bit the bit after the last one used
 * @throws HuffmanError `truncated`, `trailing`, `padding`
 */
export function checkPayloadEnd(payload: Uint8Array, start: number, bit: number): void {
  const end = Math.max(start, (bit + 7) >>> 3);
  if (end > payload.length) throw new HuffmanError('truncated', 'the payload ends too early');
  if (end < payload.length) {
    throw new HuffmanError('trailing', `the symbols end after ${end} of ${payload.length} bytes`);
  }
  if ((bit & 7) !== 0 && payload[end - 1] >>> (bit & 7) !== 0) {
    throw new HuffmanError('padding', 'the unused bits of the last byte are not zero');
  }
}
