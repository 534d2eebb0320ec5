import { HuffmanError } from './errors.js';
import { MAX_CODE_BITS } from './lengths.js';

/**
 * Checks code lengths that come from outside: a complete prefix code, nothing more, nothing less.
 *
 * @param lengths one per symbol, 1..15; an alphabet of one symbol has length 0
 * @param where what the table is, for the message
 * @throws HuffmanError `tables`
 */
export function checkLengths(lengths: Uint8Array, where: string): void {
  if (lengths.length === 1) {
    if (lengths[0] !== 0) throw new HuffmanError('tables', `${where}: the only symbol must have length 0`);
    return;
  }
  let kraft = 0;
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol];
    if (length < 1 || length > MAX_CODE_BITS) {
      throw new HuffmanError('tables', `${where}: symbol ${symbol} has length ${length}, allowed is 1 to 15`);
    }
    kraft += 1 << (MAX_CODE_BITS - length);
  }
  if (kraft !== 1 << MAX_CODE_BITS) {
    const what = kraft > 1 << MAX_CODE_BITS ? 'too many short codes' : 'bit patterns without a symbol';
    throw new HuffmanError('tables', `${where}: not a complete prefix code (${what})`);
  }
}

/**
 * The canonical code of checked lengths, each code with its bits reversed: payloads are written from the least
 * significant bit of each byte upwards (as in RFC 1951), and the first bit of a code is its most significant.
 * Codes are given out by length, then by symbol index.
 */
export function reversedCodes(lengths: Uint8Array): Uint16Array {
  const perLength = new Uint32Array(MAX_CODE_BITS + 2);
  for (const length of lengths) if (length > 0) perLength[length]++;
  const next = new Uint32Array(MAX_CODE_BITS + 2);
  for (let bits = 1, code = 0; bits <= MAX_CODE_BITS; bits++) {
    code = (code + perLength[bits - 1]) << 1;
    next[bits] = code;
  }
  return Uint16Array.from(lengths, (length) => (length === 0 ? 0 : reverse(next[length]++, length)));
}

function reverse(code: number, length: number): number {
  let out = 0;
  for (let i = 0; i < length; i++) out |= ((code >>> i) & 1) << (length - 1 - i);
  return out;
}
