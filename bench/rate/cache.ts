import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { packageRoot } from '../../platform/root.js';
import { sha256 } from './dataset.js';

/** Outside git: what was measured and made, to go on after a cut and to measure again only what changed. */
export const cacheFolder = (): string => join(packageRoot(), 'runs', 'rate');

/** Writes the whole file or nothing. */
export async function writeAtomically(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const part = `${path}.${process.pid}.part`;
  await writeFile(part, content);
  await rename(part, path);
}

/**
 * What `make` gave for this key before, or gives now.
 * @param key everything that the result depends on; JSON
 * @returns the value, the file it lies in, and whether it was there already
 */
export async function cached<T>(
  name: string,
  key: unknown,
  make: () => Promise<T>,
  folder = cacheFolder(),
): Promise<{ value: T; file: string; found: boolean }> {
  const file = join(folder, 'measured', `${name}-${sha256(JSON.stringify(key)).slice(0, 24)}.json`);
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text !== undefined) return { value: (JSON.parse(text) as { value: T }).value, file, found: true };
  const value = await make();
  await writeAtomically(file, JSON.stringify({ key, value }));
  return { value, file, found: false };
}
