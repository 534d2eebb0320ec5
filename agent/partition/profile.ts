import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Times that were measured before, and what they were measured with. */
export interface Profile {
  /** Bundle, processor and versions: another value makes the profile worthless. */
  fingerprint: string;
  /** Milliseconds by partition id (and `device`). */
  device_ms: Record<string, number>;
  edge_ms: Record<string, number>;
  /** The link as it was: rate, and delay both ways. */
  bandwidth_bps?: number;
  base_ms?: number;
}

const isTimes = (value: unknown): value is Record<string, number> =>
  typeof value === 'object' && value !== null && Object.values(value).every((ms) => typeof ms === 'number' && ms >= 0);

/** The stored profile, or undefined when there is none of this fingerprint: it is only a memory, so damage is no error. */
export function readProfile(file: string, fingerprint: string): Profile | undefined {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as Partial<Profile>;
    if (value.fingerprint !== fingerprint || !isTimes(value.device_ms) || !isTimes(value.edge_ms)) return undefined;
    const { bandwidth_bps, base_ms } = value;
    const finite = (n: unknown) => (Number.isFinite(n) ? (n as number) : undefined);
    return { ...(value as Profile), bandwidth_bps: finite(bandwidth_bps), base_ms: finite(base_ms) };
  } catch {
    return undefined;
  }
}

/** Writes it whole or not at all. @throws what the file system throws */
export function writeProfile(file: string, profile: Profile): void {
  mkdirSync(dirname(file), { recursive: true });
  const part = `${file}.part`;
  writeFileSync(part, `${JSON.stringify(profile, null, 2)}\n`);
  renameSync(part, file);
}
