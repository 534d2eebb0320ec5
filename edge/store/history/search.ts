import { type Kysely, sql } from 'kysely';
import type { AlertState } from '../../rules/types.js';
import { decodeCursor } from './paging.js';
import { toSample } from './rows.js';
import type { Tables } from './tables.js';
import type { EventFilter, Paging, Sample } from './types.js';

/** No event is longer (see EventTracker): what began before cannot reach into a search. */
export const LONGEST_MS = 3_600_000;

export interface AlertFilter {
  state?: AlertState;
  camera?: string;
  rule?: string;
  from?: number;
  to?: number;
}

/**
 * Events of a filter, newest first; one more than asked for says that there are more. The order is that of an index which the
 * filter begins with: nothing is sorted, however many there are.
 */
export function eventsQuery(db: Kysely<Tables>, { camera, label, zone, from, to }: EventFilter, paging: Paging) {
  let query = db.selectFrom('events as e').selectAll('e');
  let order = sql<string>`e.started desc, e.id desc`;
  let place = sql<unknown>`(e.started, e.id)`;
  if (zone !== undefined) {
    query = query.innerJoin('event_zones as z', 'z.event', 'e.id').where('z.zone', '=', zone);
    // with a camera or a class, their events are fewer than the zone's
    if (camera === undefined && label === undefined) {
      order = sql`z.started desc, z.event desc`;
      place = sql`(z.started, z.event)`;
      if (to !== undefined) query = query.where(sql<boolean>`z.started <= ${to}`);
      if (from !== undefined) query = query.where(sql<boolean>`z.started >= ${from - LONGEST_MS}`);
    }
  }
  if (camera !== undefined) query = query.where('e.camera', '=', camera);
  if (label !== undefined) query = query.where('e.label', '=', label);
  if (to !== undefined) query = query.where('e.started', '<=', to);
  if (from !== undefined) {
    query = query
      .where('e.started', '>=', from - LONGEST_MS)
      .where((of) => of.or([of('e.ended', 'is', null), of('e.ended', '>=', from)]));
  }
  if (paging.cursor !== undefined) {
    const { started, id } = decodeCursor(paging.cursor);
    query = query.where(sql<boolean>`${place} < (${started}, ${id})`);
  }
  return query.orderBy(order).limit(paging.limit + 1);
}

/** Alerts of a filter, newest first; one more than asked for. */
export function alertsQuery(db: Kysely<Tables>, { state, camera, rule, from, to }: AlertFilter, paging: Paging) {
  let query = db.selectFrom('alerts').selectAll();
  if (state !== undefined) query = query.where('state', '=', state);
  if (camera !== undefined) query = query.where('camera', '=', camera);
  if (rule !== undefined) query = query.where('rule', '=', rule);
  if (from !== undefined) query = query.where('started', '>=', from);
  if (to !== undefined) query = query.where('started', '<=', to);
  if (paging.cursor !== undefined) {
    const { started, id } = decodeCursor(paging.cursor);
    query = query.where(sql<boolean>`(started, id) < (${started}, ${id})`);
  }
  return query
    .orderBy('started', 'desc')
    .orderBy('id', 'desc')
    .limit(paging.limit + 1);
}

/** Minutes read from the database at a time. */
const CHUNK = 5000;

/** Samples of a camera, every `stepMs` put together; in rising order. */
export async function samplesOf(
  db: Kysely<Tables>,
  camera: string,
  from: number,
  to: number,
  stepMs: number,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  let group: Sample[] = [];
  const start = (at: number): number => Math.floor(at / stepMs) * stepMs;
  let after = from - 1;
  for (;;) {
    const rows = await db
      .selectFrom('samples')
      .selectAll()
      .where('camera', '=', camera)
      .where('at', '>', after)
      .where('at', '<=', to)
      .orderBy('at')
      .limit(CHUNK)
      .execute();
    for (const row of rows) {
      if (group.length > 0 && start(group[0].at) !== start(row.at)) {
        samples.push(together(start(group[0].at), group));
        group = [];
      }
      group.push(toSample(row));
    }
    if (rows.length < CHUNK) break;
    after = rows[CHUNK - 1].at;
  }
  if (group.length > 0) samples.push(together(start(group[0].at), group));
  return samples;
}

/** One sample of several, in rising order: sums, means by results, the worst p95, the last choice. */
function together(at: number, group: readonly Sample[]): Sample {
  if (group.length === 1) return { ...group[0], at };
  const sum = (key: 'results' | 'failures' | 'drops' | 'bytes'): number => group.reduce((all, s) => all + s[key], 0);
  const mean = (of: (sample: Sample) => number | undefined): number | undefined => {
    let weight = 0;
    let total = 0;
    for (const sample of group) {
      const value = of(sample);
      if (value === undefined) continue;
      const share = Math.max(1, sample.results);
      weight += share;
      total += value * share;
    }
    return weight === 0 ? undefined : total / weight;
  };
  const keys = (of: (sample: Sample) => object): string[] => [...new Set(group.flatMap((s) => Object.keys(of(s))))];
  const p95 = group.flatMap(({ p95_ms }) => p95_ms ?? []);
  const results = sum('results');
  const last = group.findLast(({ partition }) => partition !== undefined);
  return {
    at,
    ...{ results, failures: sum('failures'), drops: sum('drops'), bytes: sum('bytes') },
    p50_ms: mean((s) => s.p50_ms),
    p95_ms: p95.length > 0 ? Math.max(...p95) : undefined,
    steps_ms: Object.fromEntries(keys((s) => s.steps_ms).map((step) => [step, mean((s) => s.steps_ms[step]) ?? 0])),
    counts: Object.fromEntries(
      keys((s) => s.counts).map((label) => [
        label,
        {
          max: Math.max(...group.map((s) => s.counts[label]?.max ?? 0)),
          mean: group.reduce((all, s) => all + (s.counts[label]?.mean ?? 0) * s.results, 0) / Math.max(1, results),
        },
      ]),
    ),
    partition: last?.partition,
    rate: last?.rate,
  };
}
