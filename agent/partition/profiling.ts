import type { Log } from '../../platform/log.js';
import type { Choice } from './choices.js';
import { machineFingerprint } from './fingerprint.js';
import type { DeviceTimes } from './measure.js';
import type { Planner } from './planner.js';
import { type Profile, readProfile, readTimeModel, writeProfile } from './profile.js';

/** What the decision knows when the agent starts, and what it leaves for the next start. */
export class Profiling {
  #profile: Profile | undefined;

  /**
   * @param file where it is kept; undefined: nowhere
   * @param fingerprint of bundle, colours and processor: what was measured with another one does not hold
   * @param before what this process knows already
   */
  constructor(
    readonly planner: Planner,
    readonly file: string | undefined,
    readonly fingerprint: string,
    readonly threads: number | undefined,
    readonly log: Log,
    before?: Profiling,
  ) {
    // At once: what is remembered of the link must be there before the first transfer.
    this.#profile = before?.of(this.fingerprint) ?? (file ? readProfile(file, this.fingerprint) : undefined);
    if (this.#profile) planner.useProfile(this.#profile);
  }

  /** Measures the points that are not known. @param measure times the device's side of these */
  async start(measure: (missing: readonly Choice[]) => Promise<DeviceTimes>): Promise<void> {
    const known = this.#profile?.device_ms ?? {};
    const missing = this.planner.choices.filter(({ id }) => id !== 'raw' && !(id in known));
    if (missing.length > 0) {
      this.#profile = this.#made(await measure(missing));
      this.planner.useProfile(this.#profile);
    }
    const shown = Object.entries(this.#profile?.device_ms ?? {}).map(([id, ms]) => [
      `${id}_ms`,
      Math.round(ms * 10) / 10,
    ]);
    this.log.info(
      missing.length > 0 ? 'measured this device' : 'times of this device are known',
      Object.fromEntries(shown),
    );
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

  /** What is known by now of bundle and processor. @param fingerprint that they must have */
  of(fingerprint: string): Profile | undefined {
    if (fingerprint !== this.fingerprint || !this.#profile) return undefined;
    return { ...this.#profile, edge_ms: this.planner.edgeTimes() };
  }

  /** What was known, and what has been measured now. */
  #made({ mean, deviation, runs }: DeviceTimes): Profile {
    const before = this.#profile;
    return {
      ...before,
      fingerprint: this.fingerprint,
      device_ms: { ...before?.device_ms, ...mean },
      device_deviation_ms: { ...before?.device_deviation_ms, ...deviation },
      device_runs: Math.min(before?.device_runs ?? runs, runs),
      edge_ms: before?.edge_ms ?? {},
      time_model:
        before?.time_model ?? (this.file ? readTimeModel(this.file, machineFingerprint(this.threads)) : undefined),
    };
  }
}
