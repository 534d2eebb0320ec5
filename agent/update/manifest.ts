import { readFile } from 'node:fs/promises';
import { MANIFEST_FILE, type Manifest, validateManifest } from '../../protocol/manifest.js';
import type { BundleRelease } from '../../protocol/update.js';
import { Refused } from './errors.js';
import type { UpdateFolder } from './folder.js';

/** Longest manifest, bytes. */
const MANIFEST_MAX_BYTES = 4 * 2 ** 20;

/** Whether a file is the release's manifest. */
export function isManifest({ files }: BundleRelease, sha256: string): boolean {
  return files[MANIFEST_FILE].sha256 === sha256;
}

/**
 * Checks the manifest that was fetched: its schema, and that it names the same files as the release, before these are fetched.
 * @throws Refused `bad_bundle`
 */
export async function checkManifest(folder: UpdateFolder, release: BundleRelease): Promise<void> {
  const { sha256, bytes } = release.files[MANIFEST_FILE];
  if (bytes > MANIFEST_MAX_BYTES) throw new Refused('bad_bundle', `${MANIFEST_FILE} has ${bytes} bytes`);
  const text = await readFile(folder.file(sha256), 'utf8');
  let manifest: Manifest;
  try {
    manifest = validateManifest(JSON.parse(text));
  } catch (error) {
    throw new Refused('bad_bundle', (error as Error).message);
  }
  const same = (name: string): boolean => {
    const [a, b] = [manifest.files[name], release.files[name]];
    return a?.bytes === b?.bytes && a?.sha256.toLowerCase() === b?.sha256;
  };
  const names = new Set([...Object.keys(manifest.files), ...Object.keys(release.files)]);
  names.delete(MANIFEST_FILE);
  const odd = [...names].find((name) => !same(name));
  if (odd !== undefined) throw new Refused('bad_bundle', `${odd}: ${MANIFEST_FILE} and the release do not agree`);
}
