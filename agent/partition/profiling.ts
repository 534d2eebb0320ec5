import type { Log } from '../../platform/log.js';
import { machineFingerprint, profileFingerprint } from './fingerprint.js';
import type { DeviceTimes } from './measure.js';
import type { Planner } from './planner.js';
import { type Profile, readProfile, readTimeModel, writeProfile } from './profile.js';

/** What the decision knows when the agent starts, and what it leaves for the next start. */
export class Profiling {
  readonly #fingerprint: string;
  readonly #machine: string;
  #profile: Profile | undefined;

  /** @param file where it is kept; undefined: nowhere */
  constructor(
    readonly planner: Planner,
    readonly file: string | undefined,
    bundleId: string,
    threads: number | undefined,
    readonly log: Log,
  ) {
    this.#fingerprint = profileFingerprint(bundleId, threads);
    this.#machine = machineFingerprint(threads);
  }

  /** Recalls the stored profile, or measures. @param measure times the device's side */
  async start(measure: () => Promise<DeviceTimes>): Promise<void> {
    const stored = this.file ? readProfile(this.file, this.#fingerprint) : undefined;
    const profile = stored ?? this.#made(await measure());
    this.#profile = profile;
    this.planner.useProfile(profile);
    const shown = Object.entries(profile.device_ms).map(([id, ms]) => [`${id}_ms`, Math.round(ms * 10) / 10]);
    this.log.info(stored ? 'times of this device are known' : 'measured this device', Object.fromEntries(shown));
  }

  /** Writes down what was measured and what was learnt about edge and link. Failure is a warning. */
  keep(): void {
    if (!this.file || !this.#profile) return;
    const { link } = this.planner;
    try {
      writeProfile(this.file, {
        ...this.#profile,
        edge_ms: this.planner.edgeTimes(),
        ...(link.transfers > 0 && { bandwidth_bps: link.bps, base_ms: link.base }),
      });
    } catch (error) {
      this.log.warn('the profile cannot be kept', { file: this.file, error });
    }
  }

  #made({ mean, deviation, runs }: DeviceTimes): Profile {
    return {
      fingerprint: this.#fingerprint,
      device_ms: mean,
      device_deviation_ms: deviation,
      device_runs: runs,
      edge_ms: {},
      time_model: this.file ? readTimeModel(this.file, this.#machine) : undefined,
    };
  }
}
