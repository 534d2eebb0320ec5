import { createHash } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { type Manifest, validateManifest } from '../protocol/manifest.js';
import { bundleError, fetchAgain } from './bundle/errors.js';
import { verifyFile } from './bundle/verify.js';

export type { Manifest } from '../protocol/manifest.js';

/** The manifest's version that this program reads. */
const FORMAT = 1;

/** A bundle whose every file was found whole. */
export interface Bundle {
  /** First 8 bytes of the SHA-256 of manifest.json, 16 hex digits. */
  readonly id: string;
  /** Absolute path of its folder, links resolved. */
  readonly dir: string;
  readonly manifest: Manifest;
  /** Absolute path of a file that the manifest lists. @throws DeepcodError `bundle_file` for any other */
  file(name: string): string;
}

/**
 * Opens a bundle's folder and verifies it: manifest, size and SHA-256 of every file.
 * @throws DeepcodError (exit code 3), naming the file and what to do: `bundle_missing`, `bundle_json`, `bundle_format`,
 *   `bundle_invalid`, `bundle_file`, `bundle_hash`, `bundle_path`
 */
export async function openBundle(dir: string): Promise<Bundle> {
  const { root, path, bytes } = await readManifest(dir);
  const manifest = parseManifest(path, bytes);
  await Promise.all(Object.entries(manifest.files).map(([name, expected]) => verifyFile(root, name, expected)));
  return {
    id: bundleId(bytes),
    dir: root,
    manifest,
    file(name) {
      if (!Object.hasOwn(manifest.files, name)) {
        throw bundleError('bundle_file', `${path}: "${name}" is not among its files`, 'Is this the right bundle?');
      }
      return join(root, ...name.split('/'));
    },
  };
}

/** The id that travels in every frame. @param manifestBytes manifest.json as it lies on the disk */
export function bundleId(manifestBytes: Uint8Array): string {
  return createHash('sha256').update(manifestBytes).digest('hex').slice(0, 16);
}

async function readManifest(dir: string): Promise<{ root: string; path: string; bytes: Buffer }> {
  let root: string;
  try {
    root = await realpath(dir);
  } catch {
    throw bundleError(
      'bundle_missing',
      `${dir}: no such folder`,
      'Give the path of a bundle: a folder with manifest.json.',
    );
  }
  const path = join(root, 'manifest.json');
  try {
    return { root, path, bytes: await readFile(path) };
  } catch (error) {
    const missing = ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
    throw bundleError(
      'bundle_missing',
      missing
        ? `${dir}: is no bundle: it holds no manifest.json`
        : `${path}: cannot be read: ${(error as Error).message}`,
      'Give the path of a bundle: a folder with manifest.json.',
    );
  }
}

function parseManifest(path: string, bytes: Buffer): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw bundleError('bundle_json', `${path}: no valid JSON: ${(error as Error).message}`, fetchAgain);
  }
  const format = (value as { format?: unknown } | null)?.format;
  if (format !== FORMAT) {
    const newer = typeof format === 'number' && format > FORMAT;
    throw bundleError(
      'bundle_format',
      `${path}: format: ${JSON.stringify(format) ?? 'missing'}; this program reads format ${FORMAT}`,
      newer
        ? 'Update this software, or use a bundle made for it.'
        : 'Export the bundle again with the current toolkit.',
    );
  }
  try {
    return validateManifest(value);
  } catch (error) {
    throw bundleError('bundle_invalid', `${path}: ${(error as Error).message}`, fetchAgain);
  }
}
