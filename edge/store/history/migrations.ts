import { CompiledQuery, type Kysely, sql } from 'kysely';
import { DeepcodError, ExitCode } from '../../../platform/errors.js';
import type { Database, Tables } from './tables.js';

/**
 * One step of the schema's history. Both databases read the types: bigint and double precision are SQLite's INTEGER and
 * REAL. A step that was released is never changed: a new one follows.
 */
interface Migration {
  version: number;
  statements: readonly string[];
}

const migrations: readonly Migration[] = [
  {
    version: 1,
    statements: [
      `create table events (
        id text primary key, camera text not null, label text not null, zones text not null, started bigint not null,
        ended bigint, score double precision not null, best_at bigint not null, box text not null,
        max_count bigint not null, frames bigint not null)`,
      'create index events_started on events (started, id)',
      'create index events_camera on events (camera, started, id)',
      'create index events_label on events (label, started, id)',
      `create table event_zones (
        event text not null references events (id) on delete cascade, zone text not null, started bigint not null,
        primary key (event, zone))`,
      'create index event_zones_zone on event_zones (zone, started, event)',
      `create table samples (
        camera text not null, at bigint not null, results bigint not null, failures bigint not null,
        drops bigint not null, bytes bigint not null, p50_ms double precision, p95_ms double precision,
        steps text not null, counts text not null, partition text, rate bigint, primary key (camera, at))`,
      'create index samples_at on samples (at)',
      `create table changes (
        camera text not null, at bigint not null, partition text not null, rate bigint not null, reason text, why text,
        primary key (camera, at))`,
      'create index changes_at on changes (at)',
      `create table alerts (
        id text primary key, rule text not null, rule_name text not null, camera text not null, severity text not null,
        message text not null, zone text, labels text not null, count bigint not null, score double precision not null,
        started bigint not null, ended bigint, state text not null, by_whom text, changed bigint not null, note text,
        event text)`,
      'create index alerts_started on alerts (started, id)',
      'create index alerts_state on alerts (state, started, id)',
      'create table places (id text primary key, camera text not null, body text not null, updated bigint not null)',
      'create table rules (id text primary key, body text not null, updated bigint not null)',
      'create table settings (key text primary key, value text not null)',
    ],
  },
  {
    version: 2,
    statements: [
      `create table outbox (
        id text primary key, target text not null, body text not null, attempts bigint not null, next_at bigint not null,
        created bigint not null, error text)`,
      'create index outbox_next on outbox (next_at)',
    ],
  },
];

/** The newest schema that this program knows. */
export const SCHEMA_VERSION = migrations.at(-1)?.version ?? 0;

/**
 * Brings a database to the newest schema, step by step, each in a transaction of its own.
 * @param until for tests: the version to stop at
 * @throws DeepcodError `history_newer` (exit code 2) when a newer program wrote it
 */
export async function migrate(
  { db, write }: Pick<Database, 'kind' | 'write'> & { db: Kysely<Tables> },
  until = SCHEMA_VERSION,
): Promise<void> {
  await write([CompiledQuery.raw('create table if not exists schema_version (version bigint primary key, at bigint)')]);
  const { rows } = await sql<{ version: number | null }>`select max(version) as version from schema_version`.execute(
    db,
  );
  const current = rows[0]?.version ?? 0;
  if (current > SCHEMA_VERSION) {
    throw new DeepcodError(
      'history_newer',
      `the history has schema ${current}; this program knows ${SCHEMA_VERSION}`,
      'Run the newer program again, or set history.folder or history.url to another place.',
      ExitCode.usage,
    );
  }
  for (const { version, statements } of migrations) {
    if (version <= current || version > until) continue;
    await write([
      ...statements.map((statement) => CompiledQuery.raw(statement)),
      db.insertInto('schema_version').values({ version, at: Date.now() }).compile(),
    ]);
  }
}
