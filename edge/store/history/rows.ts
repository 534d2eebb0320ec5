import type { Selectable } from 'kysely';
import type { Alert, AlertState, Severity } from '../../rules/types.js';
import type { Tables } from './tables.js';
import type { Change, DetectionEvent, Sample } from './types.js';

/** Between rows and what they mean. */

export function toEvent(row: Selectable<Tables['events']>, snapshot: boolean): DetectionEvent {
  const { ended, zones, box, ...rest } = row;
  const event = { ...rest, zones: JSON.parse(zones) as string[], box: JSON.parse(box) as number[], snapshot };
  return ended === null ? event : { ...event, ended };
}

/** All columns, in the same order each time. */
export function fromEvent(event: DetectionEvent): Tables['events'] {
  const { id, camera, label, zones, started, ended, score, best_at, box, max_count, frames } = event;
  return {
    ...{ id, camera, label, zones: JSON.stringify(zones), started, ended: ended ?? null },
    ...{ score, best_at, box: JSON.stringify(box), max_count, frames },
  };
}

export function toSample(row: Selectable<Tables['samples']>): Sample {
  const { at, results, failures, drops, bytes, p50_ms, p95_ms, steps, counts, partition, rate } = row;
  return {
    ...{ at, results, failures, drops, bytes },
    steps_ms: JSON.parse(steps) as Sample['steps_ms'],
    counts: JSON.parse(counts) as Sample['counts'],
    ...known({ p50_ms, p95_ms, partition, rate }),
  };
}

export function fromSample(camera: string, sample: Sample): Tables['samples'] {
  const { at, results, failures, drops, bytes, p50_ms, p95_ms, steps_ms, counts, partition, rate } = sample;
  return {
    ...{ camera, at, results, failures, drops, bytes, p50_ms: p50_ms ?? null, p95_ms: p95_ms ?? null },
    ...{ steps: JSON.stringify(steps_ms), counts: JSON.stringify(counts) },
    ...{ partition: partition ?? null, rate: rate ?? null },
  };
}

export function toChange({ at, partition, rate, reason, why }: Selectable<Tables['changes']>): Change {
  return { at, partition, rate, ...known({ reason, why }) };
}

export function toAlert(row: Selectable<Tables['alerts']>, snapshot: boolean): Alert {
  const { rule, rule_name: name, labels, severity, state, by_whom: by, zone, ended, note, event, ...rest } = row;
  return {
    ...rest,
    rule: { id: rule, name },
    labels: JSON.parse(labels) as string[],
    severity: severity as Severity,
    state: state as AlertState,
    snapshot,
    ...known({ by, zone, ended, note, event }),
  };
}

export function fromAlert({
  snapshot: _,
  rule,
  by,
  zone,
  ended,
  note,
  event,
  labels,
  ...alert
}: Alert): Tables['alerts'] {
  return {
    ...alert,
    rule: rule.id,
    rule_name: rule.name,
    labels: JSON.stringify(labels),
    by_whom: by ?? null,
    zone: zone ?? null,
    ended: ended ?? null,
    note: note ?? null,
    event: event ?? null,
  };
}

type Known<T> = { [K in keyof T]?: Exclude<T[K], null> };

function known<T extends object>(values: T): Known<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null)) as Known<T>;
}
