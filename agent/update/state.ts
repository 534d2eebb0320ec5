import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { canonicalJson, type ReleaseKind, type ReleaseName, sha256 } from '../../protocol/update.js';
import type { Disk } from './disk.js';

/** A release that was installed. */
export interface Installed {
  sequence: number;
  digest: string;
  created: string;
  /** Kind bundle: its id. */
  bundle?: string;
  /** Kind config: what it changes. */
  config?: Record<string, unknown>;
}

/** How frames fared before a change: what those after it are held against. */
export interface Baseline {
  frames: number;
  /** Share of frames that had a result, 0 to 1. */
  answered: number;
  /** Median of a trip, ms. */
  totalMs: number;
  /** Share of results with a detection, 0 to 1. */
  found: number;
}

/** What is installed of one kind. */
export interface Line {
  /** Highest sequence that was accepted; 0: none. */
  sequence: number;
  /** When the newest release that was accepted was signed. */
  created: string;
  /** undefined: what agent.yaml says. */
  running?: Installed;
  /** Where a roll back leads; null: to what agent.yaml says. Absent: nothing was ever installed. */
  previous?: Installed | null;
  /** There while the running release is on probation. */
  probation?: { starts: number; baseline?: Baseline };
}

/** How a release ended. */
export interface Ending extends ReleaseName {
  outcome: 'kept' | 'refused' | 'rolled_back';
  code?: string;
  message?: string;
}

export interface UpdateState {
  v: 1;
  bundle: Line;
  config: Line;
  /** The last ones, oldest first: none of them is tried again. */
  endings: Ending[];
  /** The release whose bundle is being tried, and how often: one that takes the whole device down is seen by that. */
  trial?: { digest: string; times: number };
}

/** Endings that are remembered. */
const MOST_ENDINGS = 64;
const NAME = 'state.json';

export const emptyState = (): UpdateState => ({
  v: 1,
  bundle: { sequence: 0, created: '' },
  config: { sequence: 0, created: '' },
  endings: [],
});

/**
 * What the last start left.
 * @param folder of the updater
 * @returns the state; `damaged` where there is a file that cannot be used: then the state is empty
 */
export async function readState(folder: string): Promise<{ state: UpdateState; damaged?: string }> {
  let text: string;
  try {
    text = await readFile(join(folder, NAME), 'utf8');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return { state: emptyState(), ...(!missing && { damaged: (error as Error).message }) };
  }
  try {
    const { sum, ...state } = JSON.parse(text) as UpdateState & { sum: string };
    if (state.v !== 1 || sum !== checksum(state)) throw new Error('its checksum is wrong');
    return { state };
  } catch (error) {
    return { state: emptyState(), damaged: (error as Error).message };
  }
}

/** Replaces the state, whole or not at all; on the disk when it resolves. @throws what the file system throws */
export async function writeState(disk: Disk, folder: string, state: UpdateState): Promise<void> {
  state.endings.splice(0, state.endings.length - MOST_ENDINGS);
  const plain = JSON.parse(JSON.stringify(state)) as UpdateState;
  const file = join(folder, NAME);
  const part = `${file}.part`;
  await disk.write(part, Buffer.from(`${JSON.stringify({ ...plain, sum: checksum(plain) })}\n`));
  await disk.sync(part);
  await disk.rename(part, file);
  await disk.sync(dirname(file));
}

const checksum = (state: UpdateState): string => sha256(Buffer.from(canonicalJson(state))).slice(0, 16);

/** An installed release, for messages. */
export function nameOf(kind: ReleaseKind, { sequence, digest, bundle }: Installed): ReleaseName {
  return { kind, sequence, digest, ...(bundle && { bundle }) };
}

/** A release was accepted and runs from now on, on probation. Changes the state only. */
export function accept(line: Line, installed: Installed, baseline?: Baseline): void {
  line.previous = line.running ?? null;
  line.running = installed;
  line.probation = { starts: 0, ...(baseline && { baseline }) };
  remember(line, installed);
}

/** Releases before this one are old. Changes the state only. */
export function remember(line: Line, { sequence, created }: Pick<Installed, 'sequence' | 'created'>): void {
  line.sequence = Math.max(line.sequence, sequence);
  if (created > line.created) line.created = created;
}

/** The release that runs is gone back from. Changes the state only. */
export function rollBack(state: UpdateState, kind: ReleaseKind, code: string, message: string): void {
  const line = state[kind];
  const { running, previous } = line;
  if (running) {
    state.endings.push({ ...nameOf(kind, running), outcome: 'rolled_back', code, message: message.slice(0, 500) });
  }
  line.running = previous ?? undefined;
  delete line.previous;
  delete line.probation;
}
