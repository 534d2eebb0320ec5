/**
 * The entropy coder, both directions: canonical Huffman with static tables from the bundle.
 *
 *     const coder = openCoder(JSON.parse(text), { height: 52, width: 52, channels: 96, levels: 31 });
 *     const out = new Uint8Array(coder.maxBytes);
 *     const length = coder.encode(symbols, rate, out);
 *     coder.decode(out.subarray(0, length), rate, symbols);
 *
 * docs/entropy.md describes the bits. Nothing here depends on the rest of the product.
 */
export { openCoder, type SymbolCoder } from './coder.js';
export { HuffmanError, type HuffmanErrorCode } from './errors.js';
export { codeLengths, MAX_CODE_BITS, smoothed } from './lengths.js';
export { writePlainTables } from './plain-tables.js';
export type { CodeShape } from './shape.js';
