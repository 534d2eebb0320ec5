import {
  isOlderVersion,
  type ReleaseKind,
  releaseDigest,
  type SignedRelease,
  verifyRelease,
} from '../../protocol/update.js';
import { Refused } from './errors.js';
import type { TrustedKeys } from './keys.js';
import type { UpdateState } from './state.js';

/** A release whose signature holds, and who offers it. */
export interface Candidate {
  release: SignedRelease;
  digest: string;
  /** Names of the edges that have it. */
  edges: string[];
}

/** What a device is, as far as a release asks. */
export interface DeviceFacts {
  device: string;
  /** Version of this agent. */
  version: string;
  keys: TrustedKeys;
}

/** Nothing to be told: this device has had it, or it is meant for others. */
export const isOld = (reason: Refused | undefined): boolean =>
  reason !== undefined && ['done', 'not_for_this_device'].includes(reason.code);

/** Why a device does not take a release; undefined: it does. The signature comes first: nothing unsigned is believed. */
export function refusal(release: SignedRelease, facts: DeviceFacts, state: UpdateState): Refused | undefined {
  const key = facts.keys.get(release.key);
  if (!key) return new Refused('unknown_key', `signed with key ${release.key}, which this device does not trust`);
  if (!verifyRelease(release, key)) return new Refused('bad_signature', `the signature of key ${release.key} is wrong`);
  const { to } = release;
  if (to !== 'all' && !to.includes(facts.device)) {
    return new Refused('not_for_this_device', `meant for ${to.join(', ').slice(0, 200)}`);
  }
  const digest = releaseDigest(release);
  const line = state[release.kind];
  if (line.running?.digest === digest || state.endings.some((ending) => ending.digest === digest)) {
    return new Refused('done', 'this device has had it');
  }
  if (isOlderVersion(facts.version, release.min_agent)) {
    return new Refused('agent_too_old', `needs agent ${release.min_agent}; this one is ${facts.version}`);
  }
  if (release.allow_older) return undefined;
  if (release.sequence <= line.sequence) {
    return new Refused('older', `sequence ${release.sequence}; this device has accepted ${line.sequence}`);
  }
  if (release.created < line.created) {
    return new Refused('older', `signed ${release.created}, before the release that this device has accepted`);
  }
  return undefined;
}

/**
 * The releases of all offers that a device would take, best first: bundles before settings; of one kind the one that goes back
 * if it was signed last, else the highest sequence.
 * @param offers releases by edge @param refused told once per offered release, but not of old ones
 */
export function candidates(
  offers: ReadonlyMap<string, readonly SignedRelease[]>,
  facts: DeviceFacts,
  state: UpdateState,
  refused: (release: SignedRelease, digest: string, reason: Refused) => void,
): Candidate[] {
  const found = new Map<string, Candidate>();
  for (const [edge, releases] of offers) {
    for (const release of releases) {
      const digest = releaseDigest(release);
      const known = found.get(digest);
      // The digest says nothing about the signature beside it.
      const reason = refusal(release, facts, state);
      if (reason) {
        if (!isOld(reason)) refused(release, digest, reason);
      } else if (known) known.edges.push(edge);
      else found.set(digest, { release, digest, edges: [edge] });
    }
  }
  const best = (kind: ReleaseKind): Candidate[] => {
    const all = [...found.values()].filter(({ release }) => release.kind === kind);
    const [newest] = all
      .filter(({ release }) => !release.allow_older)
      .sort((a, b) => b.release.sequence - a.release.sequence);
    const [back] = all
      .filter(({ release }) => release.allow_older)
      .sort((a, b) => (a.release.created < b.release.created ? 1 : -1));
    if (!newest || !back) return newest ? [newest] : back ? [back] : [];
    return back.release.created > newest.release.created ? [back] : [newest];
  };
  return [...best('bundle'), ...best('config')];
}
