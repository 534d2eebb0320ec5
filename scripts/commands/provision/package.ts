import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { usageError } from '../../../platform/main.js';
import { packageRoot } from '../../../platform/root.js';
import { versions } from '../../../platform/versions.js';

/** The package that a device installs when it starts for the first time. */
export interface DebPackage {
  name: string;
  sha256: string;
  /** It travels on the boot partition, or is fetched. */
  file?: string;
  url?: string;
}

/**
 * @param given file or https address; default: what `npm run package` made
 * @param sha256 of what an address leads to
 * @throws DeepcodError `usage`
 */
export async function packageOf(given: string | undefined, sha256: string | undefined): Promise<DebPackage> {
  const own = join(packageRoot(), 'dist-packages', `deepcod_${versions().deepcod}_arm64.deb`);
  const place = given ?? own;
  if (!/^[A-Za-z0-9._+~-]+_arm64\.deb$/.test(basename(place))) {
    throw usageError(`--package ${place}: a Raspberry Pi takes deepcod_VERSION_arm64.deb`);
  }
  if (/^https?:\/\//.test(place)) {
    if (!place.startsWith('https:') || !/^[0-9a-f]{64}$/.test(sha256 ?? '')) {
      throw usageError('--package with an address: https, and its SHA-256 with --package-sha256');
    }
    return { name: basename(place), sha256: sha256 ?? '', url: place };
  }
  if (!existsSync(place)) {
    throw usageError(
      given === undefined
        ? 'Which package? Name it with --package, or make it: npm run package'
        : `--package ${place}: there is no such file`,
    );
  }
  const found = await hashOf(place);
  if (sha256 !== undefined && sha256 !== found)
    throw usageError(`--package ${place}: its SHA-256 is ${found}, not ${sha256}`);
  return { name: basename(place), sha256: found, file: place };
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest('hex');
}
