import { crc32 } from 'node:zlib';

/**
 * Predicted frames (coding 2). Their payload starts with the checksum of the reference's symbols; an edge that holds
 * other symbols under that number, or none, asks for a key frame instead of decoding. So what is decoded is always what
 * was coded, whoever restarted, repeated or lost what.
 */

/** Bytes of the checksum before the coded symbols. */
export const REFERENCE_CHECKSUM_BYTES = 4;
/** An edge keeps this many codes of a device at most, the latest; an agent predicts from none older. */
export const REFERENCE_WINDOW = 8;

/** CRC-32 (zlib, PNG, Ethernet) of a frame's symbols, one byte each, HWC. */
export function codeChecksum(symbols: Uint8Array): number {
  return crc32(symbols);
}

/**
 * Writes a payload: the reference's checksum, and straight behind it the coded symbols.
 * @param out room for both
 * @param code writes the coded symbols at the start of what it is given, a view of `out`; returns their length, bytes
 * @returns length of the payload, bytes
 */
export function writePredicted(out: Uint8Array, checksum: number, code: (room: Uint8Array) => number): number {
  new DataView(out.buffer, out.byteOffset, REFERENCE_CHECKSUM_BYTES).setUint32(0, checksum, true);
  return REFERENCE_CHECKSUM_BYTES + code(out.subarray(REFERENCE_CHECKSUM_BYTES));
}

/** Takes a payload apart. @param payload at least 5 bytes, as `parseFrame` guarantees @returns a view, not a copy */
export function splitPredicted(payload: Uint8Array): { checksum: number; coded: Uint8Array } {
  const view = new DataView(payload.buffer, payload.byteOffset, REFERENCE_CHECKSUM_BYTES);
  return { checksum: view.getUint32(0, true), coded: payload.subarray(REFERENCE_CHECKSUM_BYTES) };
}
