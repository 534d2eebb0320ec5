import type { CompiledQuery, Kysely } from 'kysely';

/** Rows as they lie in the database. Times are ms since 1970; lists and maps are JSON text; truth is 0 or 1. */
export interface Tables {
  events: {
    id: string;
    camera: string;
    label: string;
    zones: string;
    started: number;
    ended: number | null;
    score: number;
    best_at: number;
    box: string;
    max_count: number;
    frames: number;
  };
  event_zones: { event: string; zone: string; started: number };
  samples: {
    camera: string;
    at: number;
    results: number;
    failures: number;
    drops: number;
    bytes: number;
    p50_ms: number | null;
    p95_ms: number | null;
    steps: string;
    counts: string;
    partition: string | null;
    rate: number | null;
  };
  changes: { camera: string; at: number; partition: string; rate: number; reason: string | null; why: string | null };
  alerts: {
    id: string;
    rule: string;
    rule_name: string;
    camera: string;
    severity: string;
    message: string;
    zone: string | null;
    labels: string;
    count: number;
    score: number;
    started: number;
    ended: number | null;
    state: string;
    by_whom: string | null;
    changed: number;
    note: string | null;
    event: string | null;
  };
  outbox: {
    id: string;
    target: string;
    body: string;
    attempts: number;
    next_at: number;
    created: number;
    error: string | null;
  };
  places: { id: string; camera: string; body: string; updated: number };
  rules: { id: string; body: string; updated: number };
  settings: { key: string; value: string };
  schema_version: { version: number; at: number };
}

/** A database that the history lies in. Reading goes through `db`, every change through `write`. */
export interface Database {
  readonly kind: 'sqlite' | 'postgres';
  /** PostgreSQL with TimescaleDB. */
  readonly timescale?: boolean;
  readonly db: Kysely<Tables>;
  /** All of them or none, in one transaction. @throws DatabaseError */
  write(queries: readonly CompiledQuery[]): Promise<void>;
  /** Size in use where there is a limit to it, bytes. */
  bytes(): Promise<number | undefined>;
  /** Gives a bounded part of what was deleted back to the file system. */
  compact(): Promise<void>;
  /** Ends when what was asked for before is done. */
  close(): Promise<void>;
}

/** The database refused or failed. `code` is the database's own: SQLITE_FULL, 53100, ... */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  constructor(
    message: string,
    readonly code: string,
  ) {
    super(message);
  }

  /** No space is left, on the disk or within the limit. */
  get full(): boolean {
    return this.code === 'SQLITE_FULL' || this.code === '53100';
  }

  /** What was to be written is at fault (a value, a key): to try again is of no use. */
  get lasting(): boolean {
    return /^(22|23|42)...$|^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG|RANGE|ERROR)/.test(this.code);
  }
}
