import { machine, versions } from '../../../platform/versions.js';
import { type Finding, groups, type Status, type Symptom, symptoms } from './check.js';
import type { Known } from './known.js';

/** What `deepcod doctor --json` prints; docs/schemas/doctor.schema.json. */
export interface DoctorReport {
  v: 1;
  /** When, by this device's clock. */
  at: string;
  device?: string;
  bundle?: { id: string; name: string };
  machine: { board?: string; cpu: string; cores: number; memory_gib: number; os: string; arch: string };
  versions: Record<string, string>;
  seconds: number;
  /** What the trouble comes from; empty when nothing is wrong. */
  verdict: Verdict[];
  counts: Record<Status, number>;
  findings: Finding[];
}

/** One symptom and what comes first among its causes. */
export interface Verdict {
  symptom: Symptom;
  /** `failure`: so it is. `warning`: so it may be at times. */
  status: 'failure' | 'warning';
  because: string;
  finding: string;
  todo?: string;
}

/** Exit codes beside platform/errors.ts. */
export const DoctorExit = { warnings: 10, failures: 11 } as const;

export function makeReport(
  findings: Finding[],
  known: Known,
  about: { at: number; seconds: number; board?: string },
): DoctorReport {
  const counts: Record<Status, number> = { pass: 0, warning: 0, failure: 0, skipped: 0 };
  for (const { status } of findings) counts[status]++;
  const { config, bundle } = known;
  return {
    v: 1,
    at: new Date(about.at).toISOString(),
    ...(config && { device: config.device }),
    ...(bundle && { bundle: { id: bundle.id, name: bundle.manifest.service.name } }),
    machine: { ...(about.board && { board: about.board }), ...machine() },
    versions: versions(),
    seconds: Math.round(about.seconds * 10) / 10,
    verdict: verdict(findings),
    counts,
    findings,
  };
}

/** For each symptom the first failure that causes it, else the first warning: findings come in the order of causes. */
export function verdict(findings: readonly Finding[]): Verdict[] {
  return symptoms.flatMap((symptom) => {
    const causes = findings.filter((finding) => finding.symptom === symptom);
    const cause =
      causes.find(({ status }) => status === 'failure') ?? causes.find(({ status }) => status === 'warning');
    if (!cause) return [];
    const { id, what, todo } = cause;
    const status = cause.status === 'failure' ? 'failure' : 'warning';
    return [{ symptom, status, because: what.split('\n')[0], finding: id, ...(todo && { todo }) }];
  });
}

export function exitCode({ counts }: DoctorReport): number {
  if (counts.failure > 0) return DoctorExit.failures;
  return counts.warning > 0 ? DoctorExit.warnings : 0;
}

const text = { type: 'string' };
const count = { type: 'integer', minimum: 0 };

/** Keys that later versions add are allowed. */
export const doctorSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Report of deepcod doctor, version 1',
  type: 'object',
  required: ['v', 'at', 'machine', 'versions', 'seconds', 'verdict', 'counts', 'findings'],
  properties: {
    v: { const: 1 },
    at: { ...text, description: 'when, by the clock of the device (ISO 8601, UTC)' },
    device: text,
    bundle: { type: 'object', required: ['id', 'name'], properties: { id: text, name: text } },
    machine: {
      type: 'object',
      required: ['cpu', 'cores', 'memory_gib', 'os', 'arch'],
      properties: { board: text, cpu: text, cores: count, memory_gib: { type: 'number' }, os: text, arch: text },
    },
    versions: { type: 'object', additionalProperties: text },
    seconds: { type: 'number', minimum: 0 },
    verdict: {
      type: 'array',
      description: 'what the trouble comes from, one entry for each symptom; empty when nothing is wrong',
      items: {
        type: 'object',
        required: ['symptom', 'status', 'because', 'finding'],
        properties: {
          symptom: { enum: [...symptoms] },
          status: { enum: ['failure', 'warning'] },
          because: text,
          finding: { ...text, description: 'id of the finding' },
          todo: text,
        },
      },
    },
    counts: {
      type: 'object',
      required: ['pass', 'warning', 'failure', 'skipped'],
      additionalProperties: count,
    },
    findings: {
      type: 'array',
      items: {
        type: 'object',
        required: ['id', 'check', 'group', 'status', 'what'],
        properties: {
          id: { ...text, description: 'stable; docs/field-guide.md lists them all' },
          check: { ...text, description: 'which check found it: --only takes this name' },
          group: { enum: [...groups] },
          status: { enum: ['pass', 'warning', 'failure', 'skipped'] },
          symptom: { enum: [...symptoms] },
          what: { ...text, description: 'what is so here' },
          means: text,
          todo: text,
          values: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } },
        },
      },
    },
  },
};
