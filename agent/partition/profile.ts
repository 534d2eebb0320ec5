import { readFileSync } from 'node:fs';
import { replaceFile } from '../../platform/files/replace.js';
import { isTimeModel, type TimeModel } from './time-model/model.js';

/** Times that were measured before, and what they were measured with. */
export interface Profile {
  /** Bundle, processor and versions: another value makes the times worthless. */
  fingerprint: string;
  /** Milliseconds by partition id (and `device`): means, and standard deviations of the runs. */
  device_ms: Record<string, number>;
  device_deviation_ms?: Record<string, number>;
  /** Runs that these are of. */
  device_runs?: number;
  edge_ms: Record<string, number>;
  /** The link as it was: rate, and delay both ways. */
  bandwidth_bps?: number;
  base_ms?: number;
  /** Predicts times of models that were not measured; of the same machine, whatever the bundle. */
  time_model?: StoredTimeModel;
}

/** A time model, and the machine that it is of. */
export interface StoredTimeModel extends TimeModel {
  /** Processor and versions: another value makes it worthless. */
  fingerprint: string;
  /** For each point that it was fitted on, what the others alone predict, ms. */
  left_out_ms: Record<string, number>;
}

const isTimes = (value: unknown): value is Record<string, number> =>
  typeof value === 'object' && value !== null && Object.values(value).every((ms) => typeof ms === 'number' && ms >= 0);

const isPositive = (value: unknown): boolean => Number.isFinite(value) && (value as number) > 0;

/** The stored profile, or undefined when there is none of this fingerprint: it is only a memory, so damage is no error. */
export function readProfile(file: string, fingerprint: string): Profile | undefined {
  const value = readJson(file);
  if (value?.fingerprint !== fingerprint || !isTimes(value.device_ms) || !isTimes(value.edge_ms)) return undefined;
  const profile = { ...value } as Profile;
  if (!isTimes(profile.device_deviation_ms)) delete profile.device_deviation_ms;
  if (!Number.isInteger(profile.device_runs)) delete profile.device_runs;
  if (!isPositive(profile.bandwidth_bps)) delete profile.bandwidth_bps;
  if (!isPositive(profile.base_ms)) delete profile.base_ms;
  if (!isTimeModel(profile.time_model)) delete profile.time_model;
  return profile;
}

/** The stored time model, or undefined when there is none of this machine. The profile may be of another bundle. */
export function readTimeModel(file: string, fingerprint: string): StoredTimeModel | undefined {
  const model = readJson(file)?.time_model;
  return model?.fingerprint === fingerprint && isTimeModel(model) ? model : undefined;
}

/** Writes it whole or not at all. @throws what the file system throws */
export function writeProfile(file: string, profile: Profile): void {
  replaceFile(file, `${JSON.stringify(profile, null, 2)}\n`);
}

function readJson(file: string): Partial<Profile> | undefined {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) ?? undefined) as Partial<Profile> | undefined;
  } catch {
    return undefined;
  }
}
