import type { Log } from '../../platform/log.js';
import { machine, versions } from '../../platform/versions.js';
import type { Planner } from './planner.js';
import { type Profile, readProfile, writeProfile } from './profile.js';

/** What the decision knows when the agent starts, and what it leaves for the next start. */
export class Profiling {
  readonly #fingerprint: string;
  #deviceTimes: Profile['device_ms'] | undefined;

  /** @param file where it is kept; undefined: nowhere */
  constructor(
    readonly planner: Planner,
    readonly file: string | undefined,
    bundleId: string,
    threads: number | undefined,
    readonly log: Log,
  ) {
    const { cpu, cores } = machine();
    const { deepcod, node, onnxruntime } = versions();
    this.#fingerprint = [bundleId, cpu, cores, threads ?? 'all', deepcod, node, onnxruntime].join(' | ');
  }

  /** Recalls the stored profile, or measures. @param measure times the device's side, ms by partition id */
  async start(measure: () => Promise<Profile['device_ms']>): Promise<void> {
    const stored = this.file ? readProfile(this.file, this.#fingerprint) : undefined;
    const profile = stored ?? { fingerprint: this.#fingerprint, device_ms: await measure(), edge_ms: {} };
    this.#deviceTimes = profile.device_ms;
    this.planner.useProfile(profile);
    const shown = Object.entries(profile.device_ms).map(([id, ms]) => [`${id}_ms`, Math.round(ms * 10) / 10]);
    this.log.info(stored ? 'times of this device are known' : 'measured this device', Object.fromEntries(shown));
  }

  /** Writes down what was measured and what was learnt about edge and link. Failure is a warning. */
  keep(): void {
    if (!this.file || !this.#deviceTimes) return;
    const { link } = this.planner;
    try {
      writeProfile(this.file, {
        fingerprint: this.#fingerprint,
        device_ms: this.#deviceTimes,
        edge_ms: this.planner.edgeTimes(),
        ...(link.transfers > 0 && { bandwidth_bps: link.bps, base_ms: link.base }),
      });
    } catch (error) {
      this.log.warn('the profile cannot be kept', { file: this.file, error });
    }
  }
}
