import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DeepcodError, ExitCode } from '../../platform/errors.js';

/** Labelled photos, in the order of their annotations. */
export interface Dataset {
  folder: string;
  annotations: string;
  /** Paths below `folder`. */
  names: string[];
  /** SHA-256 of each photo, and of all of them in this order. */
  hashes: Map<string, string>;
  id: string;
}

export const sha256 = (...parts: (string | Uint8Array)[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
};

export const hashFile = async (path: string): Promise<string> => sha256(await readFile(path));

/** Of all code in these folders, names and contents. */
export async function hashFolders(folders: readonly string[]): Promise<string> {
  const hashes: string[] = [];
  for (const folder of folders) {
    const files = (await readdir(folder, { recursive: true })).filter((file) => /\.(py|ts|js)$/.test(file)).sort();
    for (const file of files) hashes.push(file, await hashFile(join(folder, file)));
  }
  return sha256(...hashes);
}

/**
 * @param limit only the first so many
 * @throws DeepcodError where the annotations are no COCO JSON or a photo is missing
 */
export async function openDataset(folder: string, annotations: string, limit?: number): Promise<Dataset> {
  const bad = (reason: string) =>
    new DeepcodError(
      'dataset',
      reason,
      'Give photos with --images and their COCO JSON with --annotations.',
      ExitCode.usage,
    );
  let names: string[];
  try {
    const { images } = JSON.parse(await readFile(annotations, 'utf8')) as { images: { file_name: string }[] };
    names = images.slice(0, limit).map(({ file_name }) => String(file_name));
  } catch (error) {
    throw bad(`${annotations}: not a COCO annotation file: ${(error as Error).message}`);
  }
  if (names.length === 0) throw bad(`${annotations}: names no photos`);
  const hashes = new Map<string, string>();
  for (const name of names) {
    const bytes = await readFile(join(folder, name)).catch(() => {
      throw bad(`${join(folder, name)}: cannot be read, and ${annotations} names it`);
    });
    hashes.set(name, sha256(bytes));
  }
  return { folder, annotations, names, hashes, id: sha256(...hashes.values()) };
}
