import { openContext } from './context.js';
import { HuffmanError } from './errors.js';
import { openPlain } from './plain.js';
import { type CodeShape, countSymbols } from './shape.js';

/**
 * Codes the symbols of one partition point. A coder keeps its own working memory: use one per thread, one call at a
 * time. Only {@link HuffmanError} is ever thrown, and a failed call leaves the coder usable.
 */
export interface SymbolCoder {
  /** No payload is longer than this many bytes; an `out` of this size is always large enough. */
  readonly maxBytes: number;
  /** How many rates the tables hold; valid rates are 0..rates-1. */
  readonly rates: number;
  /** Whether {@link SymbolCoder.encodeInter} and {@link SymbolCoder.decodeInter} have tables. */
  readonly inter: boolean;

  /**
   * Codes one frame.
   * @param symbols height*width*channels symbols below `levels`, HWC
   * @param rate index of the rate that made the symbols
   * @param out written from index 0; nothing is written after the payload, nor if an error is thrown
   * @returns the payload's length in bytes
   * @throws HuffmanError `rate`, `symbols`, `space`
   */
  encode(symbols: Uint8Array, rate: number, out: Uint8Array): number;

  /**
   * Decodes a payload, all of it: anything but exactly one frame with zero padding bits is an error.
   * @param symbols takes height*width*channels symbols; its content is unspecified if an error is thrown
   * @throws HuffmanError `rate`, `symbols`, `truncated`, `trailing`, `padding`, `corrupt`
   */
  decode(payload: Uint8Array, rate: number, symbols: Uint8Array): void;

  /**
   * Codes one frame against another that the receiver has, of the same shape and rate: what did not change is almost
   * free. Where much changed, {@link SymbolCoder.encode} may be shorter; the caller compares.
   * @param reference the symbols of the other frame
   * @throws HuffmanError `unsupported` without inter tables; `rate`, `symbols`, `space`
   */
  encodeInter(symbols: Uint8Array, reference: Uint8Array, rate: number, out: Uint8Array): number;

  /**
   * Decodes a payload of {@link SymbolCoder.encodeInter}, under the same rules as {@link SymbolCoder.decode}.
   * @param reference the same symbols as at the encoder (else the result is another valid frame, or an error)
   * @param symbols may be the same array as `reference`
   * @throws HuffmanError `unsupported`, `rate`, `symbols`, `truncated`, `trailing`, `padding`, `corrupt`
   */
  decodeInter(payload: Uint8Array, reference: Uint8Array, rate: number, symbols: Uint8Array): void;
}

/**
 * Opens the entropy tables of a bundle.
 * @param tables parsed JSON, untrusted: checked here, whole
 * @param shape the partition point's code, from the manifest
 * @throws HuffmanError `shape`, `tables`
 */
export function openCoder(tables: unknown, shape: CodeShape): SymbolCoder {
  countSymbols(shape);
  const form = typeof tables === 'object' && tables !== null ? (tables as { form?: unknown }).form : undefined;
  if (form === 'plain') return openPlain(tables as object, shape);
  if (form === 'context') return openContext(tables as object, shape);
  throw new HuffmanError('tables', `form is ${JSON.stringify(form) ?? 'missing'}, allowed are "plain" and "context"`);
}
