import { readFile } from 'node:fs/promises';
import { DeepcodError, ExitCode } from '../../platform/errors.js';

/** One method at one partition point and setting. Times are milliseconds on one thread of the machine that measured them. */
export interface BaselineRow {
  method: string;
  /** `device`: nothing is sent. */
  partition: string;
  setting: unknown;
  /** Mean size of a picture's message, 1 KB = 1024 bytes. */
  kb: number;
  ap: number;
  ap_relative: number;
  /** Prefix, encoder and entropy coding. */
  device_ms: number;
  /** Decoding and remainder. */
  edge_ms: number;
  /** Of each picture's message. */
  kb_images?: number[];
}

/** What `npm run bench:baselines` measured of all methods: accuracy, sizes, times. */
export interface Baselines {
  service: string;
  machine: unknown;
  command: string;
  uncompressed: { ap: number; kb: number; network_ms: number };
  /** The prefix alone, and the remainder alone, by partition point. */
  device_ms: Record<string, number>;
  edge_ms: Record<string, number>;
  rows: BaselineRow[];
}

const isTime = (value: unknown) => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const isTimes = (value: unknown) => typeof value === 'object' && value !== null && Object.values(value).every(isTime);

/**
 * Reads a baselines file.
 * @throws DeepcodError (exit code 2) where it is not there or something in it is not as it should be
 */
export async function readBaselines(file: string): Promise<Baselines> {
  const bad = (reason: string) =>
    new DeepcodError(
      'baselines',
      `${file}: ${reason}`,
      'Measure the methods first: npm run bench:baselines; or name another file with --baselines.',
      ExitCode.usage,
    );
  const text = await readFile(file, 'utf8').catch(() => {
    throw bad('cannot be read');
  });
  let value: Baselines;
  try {
    value = JSON.parse(text) as Baselines;
  } catch (error) {
    throw bad(`is no JSON: ${(error as Error).message}`);
  }
  const { uncompressed, rows } = value;
  if (typeof value.service !== 'string') throw bad('names no service');
  for (const key of ['ap', 'kb', 'network_ms'] as const) {
    if (!isTime(uncompressed?.[key])) throw bad(`uncompressed.${key} is no number`);
  }
  for (const key of ['device_ms', 'edge_ms'] as const) if (!isTimes(value[key])) throw bad(`${key} holds no times`);
  if (!Array.isArray(rows) || rows.length === 0) throw bad('has no rows');
  for (const [i, row] of rows.entries()) {
    if (typeof row.method !== 'string' || typeof row.partition !== 'string')
      throw bad(`row ${i} has no method or partition`);
    for (const key of ['kb', 'ap', 'ap_relative', 'device_ms', 'edge_ms'] as const) {
      if (!isTime(row[key])) throw bad(`row ${i}, ${row.method} ${row.partition}: ${key} is no number`);
    }
    if (row.kb_images && !(Array.isArray(row.kb_images) && row.kb_images.every(isTime)))
      throw bad(`row ${i}: kb_images`);
  }
  return value;
}
