import { HuffmanError } from './errors.js';

/** Most rates that one set of tables may hold. */
export const MAX_RATES = 64;

/** Fails with `tables` and the place in the JSON. */
export function fail(where: string, what: string): never {
  throw new HuffmanError('tables', `${where}: ${what}`);
}

/** A JSON object, or an error. */
export function asObject(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(where, 'must be an object');
  return value as Record<string, unknown>;
}

/** A whole number from `min` to `max`, or an error. */
export function asInteger(value: unknown, min: number, max: number, where: string): number {
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
    fail(where, `must be a whole number from ${min} to ${max}`);
  }
  return value as number;
}

/** An array of `min` to `max` items, or an error. */
export function asArray(value: unknown, min: number, max: number, where: string): unknown[] {
  if (!Array.isArray(value) || value.length < min || value.length > max) {
    fail(where, `must be an array of ${min === max ? min : `${min} to ${max}`} items`);
  }
  return value;
}

/** Code lengths, written as one hexadecimal digit each. */
export function asLengths(value: unknown, count: number, where: string): Uint8Array {
  if (typeof value !== 'string' || value.length !== count) fail(where, `must be a string of ${count} digits`);
  const lengths = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const code = (value as string).charCodeAt(i);
    if (code >= 48 && code <= 57) lengths[i] = code - 48;
    else if (code >= 97 && code <= 102) lengths[i] = code - 87;
    else fail(where, `digit ${i} is not 0-9 or a-f`);
  }
  return lengths;
}

/** The inverse of {@link asLengths}. */
export function formatLengths(lengths: Uint8Array): string {
  return Array.from(lengths, (length) => length.toString(16)).join('');
}
