import { type Bundle, openBundle } from '../../platform/bundle.js';
import type { BundleRelease } from '../../protocol/update.js';
import type { AgentConfig } from '../config/config.js';
import type { PieceSource } from './chunk-link.js';
import { NotNow, Refused } from './errors.js';
import { Fetcher } from './fetch.js';
import type { UpdateFolder } from './folder.js';
import type { KeptState } from './kept-state.js';
import { checkManifest, isManifest } from './manifest.js';
import { type Clock, Pacer } from './pacer.js';

/** So often a bundle is tried; if each try ended with the whole process, it is refused. */
const MOST_TRIALS = 3;

/** Tries a bundle where it can do no harm. @throws Refused with what is wrong */
export type SelfTest = (folder: string, config: AgentConfig, signal: AbortSignal) => Promise<void>;

export interface InstallParts {
  folder: UpdateFolder;
  source: PieceSource;
  clock: Clock;
  config: AgentConfig;
  /** A bundle's folder elsewhere, whose files may be used. */
  configured: string;
  /** Names of the edges that have the release, and are there. */
  edges: () => string[];
  /** Whether frames are on their way. */
  busy: () => boolean;
  selfTest: SelfTest;
  state: KeptState;
  progress: (bytes: number, total: number) => void;
}

/**
 * Has every file of a release whole on this device.
 * @throws Refused, NotNow, the signal's reason, what the file system throws
 */
export async function fetchBundle(release: BundleRelease, parts: InstallParts, signal: AbortSignal): Promise<void> {
  const { folder, config, progress } = parts;
  const { megabytes, kbps } = config.update;
  await folder.collectFiles(new Set(Object.values(release.files).map(({ sha256 }) => sha256)));
  const missing = await folder.missing(release, [parts.configured]);
  // The manifest first: what it says is known before the weights come.
  missing.sort((a, b) => Number(isManifest(release, b.sha256)) - Number(isManifest(release, a.sha256)));
  const total = missing.reduce((sum, { bytes }) => sum + bytes, 0);
  await folder.checkRoom(release, total - (await folder.begun(missing)), parts.state.bundles, megabytes * 2 ** 20);
  let bytes = 0;
  progress(bytes, total);
  const gained = (more: number) => {
    bytes += more;
    progress(bytes, total);
  };
  const pacer = new Pacer(kbps, parts.busy, parts.clock);
  const fetcher = new Fetcher({ ...parts, pacer, gained });
  if (missing.length === 0) await checkManifest(folder, release);
  for (const [i, file] of missing.entries()) {
    await fetcher.file(file, signal);
    if (i === 0) await checkManifest(folder, release);
  }
}

/**
 * Has the bundle whole in its place, and tried.
 * @throws Refused, NotNow, the signal's reason, what the file system throws
 */
export async function verifyBundle(
  release: BundleRelease,
  digest: string,
  parts: InstallParts,
  signal: AbortSignal,
): Promise<Bundle> {
  const { folder, state } = parts;
  const { trial } = state.now;
  const times = trial?.digest === digest ? trial.times : 0;
  if (times >= MOST_TRIALS) throw new Refused('self_test', `${times} tries of this bundle did not come to an end`);
  const dir = await folder.assemble(release);
  await state.change((next) => {
    next.trial = { digest, times: times + 1 };
  });
  let bundle: Bundle;
  try {
    bundle = await openBundle(dir);
  } catch (error) {
    // What was fetched was whole: the disk has lost it, or the release contradicts itself. Once more from the start.
    await folder.disk.remove(dir);
    await folder.collectFiles(new Set());
    const { message } = error as Error;
    if (times + 1 >= MOST_TRIALS) throw new Refused('bad_bundle', message);
    throw new NotNow('damaged', message);
  }
  try {
    await parts.selfTest(dir, parts.config, signal);
  } catch (error) {
    if (error instanceof Refused) await folder.disk.remove(dir);
    throw error;
  }
  await state.change((next) => {
    delete next.trial;
  });
  return bundle;
}
