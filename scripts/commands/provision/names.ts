import { usageError } from '../../../platform/main.js';
import { isDeviceName } from '../../../protocol/topics.js';

/**
 * The devices that are meant: one by its name, or `line-01` to `line-50`. Two digits at least, never more than needed: a later
 * and larger batch gives the same devices the same names.
 * @throws DeepcodError `usage`
 */
export function deviceNames(name: string | undefined, prefix: string | undefined, count: number | undefined): string[] {
  if ((name === undefined) === (count === undefined)) throw usageError('Which device? NAME, or --prefix with --count');
  if ((prefix === undefined) !== (count === undefined)) throw usageError('--prefix and --count: both, or none');
  const names =
    name === undefined
      ? Array.from({ length: count ?? 0 }, (_, index) => `${prefix}${String(index + 1).padStart(2, '0')}`)
      : [name];
  for (const one of names) {
    if (!isDeviceName(one)) throw usageError(`${one}: 1 to 64 of A-Z a-z 0-9 _ -, and not "edge"`);
  }
  return names;
}

/** A host name has no underscores, and 63 characters. */
export const hostName = (device: string): string =>
  device
    .toLowerCase()
    .replaceAll('_', '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '') || 'deepcod';
