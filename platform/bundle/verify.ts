import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { bundleError, fetchAgain } from './errors.js';

/**
 * Checks one file of a bundle: it lies inside the folder (also through links), and has the size and hash that were written down.
 * @param root real path of the bundle's folder
 * @param name as in the manifest, `/`-separated
 * @throws DeepcodError `bundle_file` (missing), `bundle_path`, `bundle_hash`
 */
export async function verifyFile(
  root: string,
  name: string,
  expected: { bytes: number; sha256: string },
): Promise<void> {
  const path = join(root, ...name.split('/'));
  let real: string;
  try {
    real = await realpath(path);
  } catch {
    throw bundleError('bundle_file', `${path}: listed in manifest.json, but not there`, fetchAgain);
  }
  if (!real.startsWith(root + sep)) {
    throw bundleError(
      'bundle_path',
      `${path}: leads out of the bundle, to ${real}`,
      'A bundle holds its own files: replace the link by a copy.',
    );
  }
  const info = await stat(real);
  if (!info.isFile()) throw bundleError('bundle_file', `${path}: not a file`, fetchAgain);
  if (info.size !== expected.bytes) {
    throw bundleError(
      'bundle_hash',
      `${path}: has ${info.size} bytes, manifest.json says ${expected.bytes}: the file is damaged or of another bundle`,
      fetchAgain,
    );
  }
  const hash = createHash('sha256');
  await pipeline(createReadStream(real, { highWaterMark: 1 << 20 }), hash);
  const digest = hash.digest('hex');
  if (digest !== expected.sha256.toLowerCase()) {
    throw bundleError(
      'bundle_hash',
      `${path}: its SHA-256 is ${digest.slice(0, 16)}..., manifest.json says ${expected.sha256.slice(0, 16)}...: the file is damaged or of another bundle`,
      fetchAgain,
    );
  }
}
