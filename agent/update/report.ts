import type { HealthMessage } from '../../protocol/health.js';
import type { ReleaseName, UpdateState as Stage, UpdateStatus } from '../../protocol/update.js';
import type { UpdateState } from './state.js';

/** Why something is as it is: a word for programs, a sentence for people. */
export interface Reason {
  code: string;
  message: string;
}

export interface Told {
  state: Stage;
  release?: ReleaseName;
  reason?: Reason;
  progress?: { bytes: number; total: number };
}

/** What the updater says of itself: the last status, published when it changes. */
export class UpdateReport {
  #status: UpdateStatus;
  #told: Told = { state: 'idle' };

  /**
   * @param facts what runs now, by the state on the disk and in truth
   * @param publish must not throw
   */
  constructor(
    readonly facts: () => { device: string; keys: string[]; running: string; previous?: string; state: UpdateState },
    readonly publish: (status: UpdateStatus) => void,
  ) {
    const { endings } = facts().state;
    const last = endings.at(-1);
    if (last) {
      const { outcome, code, message = '', ...release } = last;
      this.#told = { state: outcome, release, ...(code && { reason: { code, message } }) };
    }
    this.#status = this.#made();
  }

  get status(): UpdateStatus {
    return this.#status;
  }

  /** Of the status, what health messages repeat. */
  get brief(): NonNullable<HealthMessage['update']> {
    const { state, release, progress, reason, previous } = this.#status;
    return {
      state,
      ...(release && { release }),
      ...(progress && { progress }),
      ...(reason && { reason }),
      ...(previous && { previous }),
    };
  }

  tell(state: Stage, release?: ReleaseName, more: Omit<Told, 'state' | 'release'> = {}): void {
    this.#told = { state, ...(release && { release }), ...more };
    const status = this.#made();
    if (JSON.stringify(status) === JSON.stringify(this.#status)) return;
    this.#status = status;
    this.publish(status);
  }

  #made(): UpdateStatus {
    const { state, ...facts } = this.facts();
    const { reason, progress, ...told } = this.#told;
    return {
      v: 1,
      ...facts,
      ...told,
      ...(reason && { reason: { code: reason.code.slice(0, 64), message: reason.message.slice(0, 1000) } }),
      ...(progress && { progress: { ...progress } }),
      sequences: { bundle: state.bundle.sequence, config: state.config.sequence },
    };
  }
}
