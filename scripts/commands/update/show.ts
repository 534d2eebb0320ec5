import type { UpdateStatus } from '../../../protocol/update.js';

/** Words for a state. */
const words: Record<UpdateStatus['state'], string> = {
  idle: 'no release yet',
  fetching: 'fetching',
  verifying: 'checking and trying it',
  waiting: 'waiting',
  switching: 'going over to it',
  probation: 'runs, on probation',
  kept: 'kept',
  refused: 'refused',
  rolled_back: 'rolled back',
};

/** One line for people. */
export function describeStatus({ device, state, release, progress, reason, running }: UpdateStatus): string {
  const what = release ? ` ${release.kind} ${release.bundle ?? ''} release ${release.sequence}:` : '';
  const share = progress && progress.total > 0 ? progress.bytes / progress.total : 1;
  const part = progress
    ? ` ${Math.floor(share * 100)} % of ${(progress.total / 1e6).toFixed(progress.total < 1e6 ? 3 : 1)} MB`
    : '';
  const why = reason ? ` (${reason.code}: ${reason.message})` : '';
  return `${device}:${what.replace('  ', ' ')} ${words[state]}${part}${why}; bundle ${running} runs`;
}

/**
 * Whether a release has ended.
 * @param sequence of the release that is meant; undefined: whichever the status names
 */
export function isOver({ state, release }: UpdateStatus, sequence: number | undefined): boolean {
  if (sequence !== undefined && release?.sequence !== sequence) return false;
  return ['idle', 'kept', 'refused', 'rolled_back'].includes(state);
}
