import { type Bundle, openBundle } from '../../platform/bundle.js';
import { DeepcodError, ExitCode } from '../../platform/errors.js';
import type { Log } from '../../platform/log.js';
import type { ReleaseKind } from '../../protocol/update.js';
import type { AgentConfig } from '../config/config.js';
import { type Disk, realDisk } from './disk.js';
import { Refused } from './errors.js';
import { UpdateFolder } from './folder.js';
import { readTrustedKeys, type TrustedKeys } from './keys.js';
import { withSettings } from './settings.js';
import { type Installed, readState, rollBack, type UpdateState, writeState } from './state.js';

/** A release on probation that did not get through it in so many starts is gone back from. */
const MOST_STARTS = 3;

/** What an agent starts with. */
export interface Start {
  bundle: Bundle;
  config: AgentConfig;
  /** There when releases may be taken. */
  update?: {
    keys: TrustedKeys;
    folder: UpdateFolder;
    state: UpdateState;
    /** As agent.yaml says. */
    base: AgentConfig;
  };
}

/**
 * Finds what runs: the newest release that was accepted, the one before if that cannot be used, and in the end what agent.yaml
 * says. Whatever a power cut left, something runs.
 * @throws DeepcodError: settings (exit code 2); the configured bundle, where nothing else is left (3)
 */
export async function findStart(config: AgentConfig, log: Log, disk: Disk = realDisk): Promise<Start> {
  const { keys: keyPath, folder: root } = config.update;
  if (keyPath === undefined) return { bundle: await openBundle(config.bundle), config };
  if (root === undefined) {
    const hint = 'Name a folder of this agent alone, for example /var/lib/deepcod/update.';
    throw new DeepcodError('update_folder', 'update.folder is missing: update.keys needs it', hint, ExitCode.usage);
  }
  const keys = readTrustedKeys(keyPath);
  const folder = new UpdateFolder(root, disk);
  const { state, damaged } = await readState(root);
  if (damaged) log.error('the state of updates cannot be read: what agent.yaml says runs', { folder: root, damaged });
  const before = JSON.stringify(state);
  for (const kind of ['bundle', 'config'] as const) countStart(state, kind, log);
  const bundle = await openRunning(config, folder, state, log);
  const running = settings(config, state, log);
  try {
    await folder.prepare();
    if (JSON.stringify(state) !== before) await writeState(disk, root, state);
  } catch (error) {
    log.error('the state of updates cannot be written', { folder: root, error });
  }
  return { bundle, config: running, update: { keys, folder, state, base: config } };
}

/** What an agent that runs now has started with, or taken since; nothing is opened or written. */
export interface InUse {
  /** agent.yaml with the settings of a release in it. */
  config: AgentConfig;
  /** Folder of the bundle: the configured one, or a release's. */
  bundle: string;
  /** The release whose settings these are. */
  settings?: Installed;
  /** Why the releases cannot be known: their state cannot be read. */
  unknown?: string;
}

/**
 * What is in use with a configuration.
 * @param config as agent.yaml says @param log told of a release that is gone back from
 */
export async function readInUse(config: AgentConfig, log: Log): Promise<InUse> {
  const { keys, folder } = config.update;
  if (keys === undefined || folder === undefined) return { config, bundle: config.bundle };
  const { state, damaged } = await readState(folder);
  const running = settings(config, state, log);
  const { bundle } = state.bundle.running ?? {};
  return {
    config: running,
    bundle: bundle === undefined ? config.bundle : new UpdateFolder(folder, realDisk).bundle(bundle),
    ...(state.config.running && { settings: state.config.running }),
    ...(damaged && { unknown: damaged }),
  };
}

function countStart(state: UpdateState, kind: ReleaseKind, log: Log): void {
  const line = state[kind];
  if (!line.probation || ++line.probation.starts <= MOST_STARTS) return;
  log.error('a release did not get through its probation: going back', { sequence: line.running?.sequence });
  rollBack(state, kind, 'ends_early', `the agent ended ${MOST_STARTS} times before it was proven`);
}

async function openRunning(config: AgentConfig, folder: UpdateFolder, state: UpdateState, log: Log): Promise<Bundle> {
  const line = state.bundle;
  while (line.running?.bundle) {
    const { running } = line;
    const dir = folder.bundle(line.running.bundle);
    try {
      return await openBundle(dir);
    } catch (error) {
      if (!(error instanceof DeepcodError)) throw error;
      log.error('a bundle of an update is damaged: going back', { bundle: running.bundle, error });
      // It was good when it was installed: the same release may come again.
      rollBack(state, 'bundle', 'damaged', error.message);
      state.endings = state.endings.filter(({ digest }) => digest !== running.digest);
      line.sequence = Math.min(line.sequence, running.sequence - 1);
      line.created = line.running?.created ?? '';
      await folder.disk.remove(dir).catch(() => {});
    }
  }
  return openBundle(config.bundle);
}

function settings(base: AgentConfig, state: UpdateState, log: Log): AgentConfig {
  const line = state.config;
  while (line.running?.config) {
    try {
      return withSettings(base, line.running.config);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      log.error('the settings of an update cannot be used: going back', { error });
      rollBack(state, 'config', error.code, error.message);
    }
  }
  return base;
}
