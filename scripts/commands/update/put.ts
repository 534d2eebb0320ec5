import { cp, mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RELEASE_SUFFIX } from '../../../edge/update/library.js';
import { openBundle } from '../../../platform/bundle.js';
import { DeepcodError, ExitCode } from '../../../platform/errors.js';
import { MANIFEST_FILE } from '../../../protocol/manifest.js';
import type { SignedRelease } from '../../../protocol/update.js';

/**
 * Puts a release into an edge's folder: the bundle first, the release last, each whole or not at all.
 * @param bundle folder of the bundle; not needed if the edge's folder has it already
 * @returns the release's file @throws DeepcodError `bundle_*` (exit code 3), `publish` (2)
 */
export async function putRelease(folder: string, release: SignedRelease, bundle: string | undefined): Promise<string> {
  try {
    await mkdir(join(folder, 'bundles'), { recursive: true });
    if (release.kind === 'bundle') await putBundle(folder, release.bundle, bundle);
    const digits = String(release.sequence).padStart(16, '0');
    const path = join(folder, `${release.kind}-${digits}${release.allow_older ? '-back' : ''}${RELEASE_SUFFIX}`);
    const part = `${path}.part`;
    await writeFile(part, `${JSON.stringify(release, null, 1)}\n`);
    await sync(part);
    await rename(part, path);
    await sync(folder);
    return path;
  } catch (error) {
    if (error instanceof DeepcodError) throw error;
    throw new DeepcodError('publish', (error as Error).message, `May you write to ${folder}?`, ExitCode.usage);
  }
}

async function putBundle(folder: string, id: string, from: string | undefined): Promise<void> {
  const target = join(folder, 'bundles', id);
  if (await stat(join(target, MANIFEST_FILE)).catch(() => undefined)) return;
  if (from === undefined) {
    const hint = 'Name the folder of the bundle too.';
    throw new DeepcodError('publish', `${folder} does not hold bundle ${id}`, hint, ExitCode.usage);
  }
  const bundle = await openBundle(from);
  if (bundle.id !== id) {
    const message = `${from} is bundle ${bundle.id}; the release is of ${id}`;
    throw new DeepcodError('publish', message, 'Name the bundle that was signed.', ExitCode.usage);
  }
  const part = `${target}.part`;
  await rm(part, { recursive: true, force: true });
  for (const name of [MANIFEST_FILE, ...Object.keys(bundle.manifest.files)]) {
    const path = join(part, ...name.split('/'));
    await cp(join(bundle.dir, ...name.split('/')), path);
    await sync(path);
  }
  await rename(part, target);
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
