import type { Test } from 'tap';
import { HuffmanError, type SymbolCoder } from '../../agent/huffman/index.js';

const CANARY = 0xa5;

/** Runs `work` and returns the code of the HuffmanError it throws, or undefined; any other error goes on up. */
export function errorCode(work: () => void): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof HuffmanError) return error.code;
    throw error;
  }
}

/** A buffer of `length` bytes inside a larger one, and a check that nothing around it was written. */
export function fenced(length: number): { bytes: Uint8Array; intact: () => boolean } {
  const around = new Uint8Array(length + 64).fill(CANARY);
  return {
    bytes: around.subarray(32, 32 + length),
    intact: () =>
      around.subarray(0, 32).every((b) => b === CANARY) && around.subarray(32 + length).every((b) => b === CANARY),
  };
}

/** Encodes and decodes within fences, and checks that the payload is exactly what the two agree on. Returns the payload. */
export function roundTrip(t: Test, coder: SymbolCoder, symbols: Uint8Array, rate: number, name: string): Uint8Array {
  const out = fenced(coder.maxBytes);
  const length = coder.encode(symbols, rate, out.bytes);
  const around = new Uint8Array(length + 64).fill(CANARY);
  around.set(out.bytes.subarray(0, length), 32);
  const payload = around.subarray(32, 32 + length);
  const back = fenced(symbols.length);
  coder.decode(payload, rate, back.bytes);
  const rest = out.bytes.subarray(length).every((b) => b === CANARY);
  if (Buffer.compare(back.bytes, symbols) !== 0) t.fail(`${name}: decoded symbols differ`);
  else if (!out.intact() || !back.intact() || !rest) t.fail(`${name}: wrote outside its buffer`);
  return payload.slice();
}
