import type { Profile } from '../../../agent/partition/profile.js';
import type { Bundle } from '../../../platform/bundle.js';
import { machine, versions } from '../../../platform/versions.js';

/** One point: what was measured, and what the time model says. Times in ms. */
export interface ProfileRow {
  /** Partition id, or `device`. */
  point: string;
  mean_ms?: number;
  deviation_ms?: number;
  predicted_ms?: number;
  /** (predicted - measured) / measured. */
  error?: number;
}

/** What `--json` writes. */
export interface ProfileReport {
  bundle: { id: string; name: string };
  machine: ReturnType<typeof machine>;
  versions: Record<string, string>;
  /** Threads of one inference. */
  threads: number;
  /** Timed runs of each point; absent where nothing was measured. */
  runs?: number;
  rows: ProfileRow[];
  /** Mean of the errors without their signs. */
  mean_error?: number;
}

type Measured = Pick<Profile, 'device_ms' | 'device_deviation_ms' | 'device_runs'>;

/** @param measured absent: predictions alone @param predicted ms by point */
export function reportOf(
  { id, manifest }: Pick<Bundle, 'id' | 'manifest'>,
  threads: number | undefined,
  measured: Measured | undefined,
  predicted: Record<string, number>,
): ProfileReport {
  const points = [...manifest.partitions.map((partition) => partition.id), 'device'];
  const rows = points.map((point): ProfileRow => {
    const mean = measured?.device_ms[point];
    const deviation = measured?.device_deviation_ms?.[point];
    const expected = predicted[point];
    return {
      point,
      ...(mean !== undefined && { mean_ms: round(mean) }),
      ...(deviation !== undefined && { deviation_ms: round(deviation) }),
      ...(expected !== undefined && { predicted_ms: round(expected) }),
      ...(mean && expected !== undefined && { error: round(expected / mean - 1) }),
    };
  });
  const errors = rows.flatMap(({ error }) => (error === undefined ? [] : Math.abs(error)));
  return {
    bundle: { id, name: manifest.service.name },
    machine: machine(),
    versions: versions(),
    threads: threads ?? machine().cores,
    ...(measured?.device_runs !== undefined && { runs: measured.device_runs }),
    rows,
    ...(errors.length > 0 && { mean_error: round(errors.reduce((sum, error) => sum + error, 0) / errors.length) }),
  };
}

/** The report for people. */
export function profileTable(report: ProfileReport): string {
  const { bundle, machine, threads, runs, rows, mean_error: meanError } = report;
  const head = `${bundle.name}/${bundle.id} on ${machine.cpu}, ${threads} thread${threads === 1 ? '' : 's'}`;
  const lines = [
    `${head}${runs === undefined ? '' : `, ${runs} runs each`}`,
    '',
    line(['point', 'mean ms', 'deviation', 'predicted', 'error']),
    ...rows.map((row) => line([row.point, ms(row.mean_ms), ms(row.deviation_ms), ms(row.predicted_ms), percent(row)])),
  ];
  if (meanError !== undefined) {
    lines.push('', `predicted from the operators of other models: mean error ${(100 * meanError).toFixed(1)}%`);
  }
  return lines.join('\n');
}

const line = ([point, ...cells]: string[]): string =>
  point.padEnd(14) + cells.map((cell) => cell.padStart(11)).join('');
const ms = (value: number | undefined): string => (value === undefined ? '-' : value.toFixed(2));
const percent = ({ error }: ProfileRow): string =>
  error === undefined ? '-' : `${error < 0 ? '' : '+'}${(100 * error).toFixed(1)}%`;
const round = (value: number): number => Math.round(value * 1e4) / 1e4;
