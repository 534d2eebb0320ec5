import type { UpdateFolder } from './folder.js';
import { type UpdateState, writeState } from './state.js';

/** The state of updates as it is on the disk. */
export class KeptState {
  #now: UpdateState;

  constructor(
    readonly folder: UpdateFolder,
    now: UpdateState,
  ) {
    this.#now = now;
  }

  /** Never changed in place. */
  get now(): UpdateState {
    return this.#now;
  }

  /** Ids of the bundles that must stay in the folder. */
  get bundles(): string[] {
    const { running, previous } = this.#now.bundle;
    return [running?.bundle, previous?.bundle].filter((id) => id !== undefined);
  }

  /** The new state is on the disk, or the old one holds. @throws what the file system throws */
  async change(change: (state: UpdateState) => void): Promise<void> {
    const next = structuredClone(this.#now);
    change(next);
    await writeState(this.folder.disk, this.folder.root, next);
    this.#now = next;
  }
}
