import { execFileSync, spawnSync } from 'node:child_process';

/** One line of Prometheus' text format. */
export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** Metrics by family: what its lines say. */
export interface Exposition {
  types: Map<string, string>;
  helps: Map<string, string>;
  samples: Sample[];
}

const line = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;

/** Reads the text format strictly. @throws Error for a line that it does not know */
export function parseExposition(text: string): Exposition {
  const types = new Map<string, string>();
  const helps = new Map<string, string>();
  const samples: Sample[] = [];
  for (const row of text.split('\n')) {
    if (row === '') continue;
    const [, kind, name, rest] = /^# (TYPE|HELP) (\S+) (.*)$/.exec(row) ?? [];
    if (kind) {
      (kind === 'TYPE' ? types : helps).set(name, rest);
      continue;
    }
    const match = line.exec(row);
    if (!match) throw new Error(`not a line of the format: ${row}`);
    const labels: Record<string, string> = {};
    for (const [, key, value] of (match[2] ?? '').matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)/g)) {
      labels[key] = value;
    }
    const value = match[3] === '+Inf' ? Number.POSITIVE_INFINITY : Number(match[3]);
    if (Number.isNaN(value) && match[3] !== 'NaN') throw new Error(`not a number: ${row}`);
    samples.push({ name: match[1], labels, value });
  }
  return { types, helps, samples };
}

/** The value of a series; its labels are at least these. */
export function seriesValue(
  { samples }: Exposition,
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  return samples.find(
    (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  )?.value;
}

/** What is wrong by Prometheus' conventions; empty: nothing. */
export function lint({ types, helps, samples }: Exposition): string[] {
  const wrong: string[] = [];
  for (const [name, type] of types) {
    if (!helps.get(name)) wrong.push(`${name}: no help`);
    if ((type === 'counter') !== name.endsWith('_total')) wrong.push(`${name}: ${type} and _total`);
    if (/_(ms|milliseconds|kb|percent|count|sum|bucket)$/.test(name)) wrong.push(`${name}: no base unit`);
    if (type !== 'histogram') continue;
    const buckets = samples.filter((sample) => sample.name === `${name}_bucket`);
    const series = new Map<string, Sample[]>();
    for (const bucket of buckets) {
      const { le: _, ...rest } = bucket.labels;
      const key = JSON.stringify(rest);
      series.set(key, [...(series.get(key) ?? []), bucket]);
    }
    for (const [key, rows] of series) {
      if (rows.some((row, i) => i > 0 && row.value < rows[i - 1].value)) wrong.push(`${name}${key}: buckets fall`);
      const count = seriesValue({ types, helps, samples }, `${name}_count`, JSON.parse(key) as Record<string, string>);
      if (rows.at(-1)?.labels.le !== '+Inf' || rows.at(-1)?.value !== count) wrong.push(`${name}${key}: +Inf`);
    }
  }
  for (const { name } of samples) {
    const family = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '');
    if (!types.has(family)) wrong.push(`${name}: no type`);
  }
  return wrong;
}

const promtool = [process.env.PROMTOOL ?? 'promtool'].find((path) => spawnSync(path, ['--version']).status === 0);

/** Why Prometheus' own tool does not check, or false. */
export const withoutPromtool = promtool
  ? false
  : 'promtool (Debian: prometheus) is not installed: checked by our own reading alone';

/** @throws with what `promtool check metrics` finds */
export function promtoolCheck(text: string): string {
  return execFileSync(promtool as string, ['check', 'metrics'], { input: text, encoding: 'utf8' });
}
