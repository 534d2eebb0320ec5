import { type CompiledQuery, Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Log } from '../../../platform/log.js';
import { migrate } from './migrations.js';
import { type Database, DatabaseError, type Tables } from './tables.js';

/** Numbers of 8 bytes come as text by default; ours are times and counts, far below 2^53. */
const INT8 = 20;
/** One of ours at a time brings the schema forward. */
const LOCK = 0x0dee_bc0d;

const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === INT8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
} as pg.CustomTypesConfig;

/** A PostgreSQL; with TimescaleDB the samples become a hypertable. @throws DatabaseError */
export async function openPostgres(
  url: string,
  password: string | undefined,
  log: Log,
): Promise<Database & { timescale: boolean }> {
  const address = new URL(url);
  // what stands in the address goes before every other setting
  if (password !== undefined) address.password = encodeURIComponent(password);
  const pool = new pg.Pool({
    connectionString: address.href,
    max: 4,
    connectionTimeoutMillis: 5000,
    idleTimeoutMillis: 60_000,
    // a search that takes longer is given up by the server
    statement_timeout: 30_000,
    application_name: 'deepcod-edge',
    types,
  });
  // a connection that breaks while nobody uses it is made anew when needed
  pool.on('error', (error) => log.debug('a connection to PostgreSQL broke', { error }));
  const database = new PostgresDatabase(pool);
  try {
    await database.prepare();
  } catch (error) {
    await pool.end();
    throw known(error);
  }
  return database;
}

class PostgresDatabase implements Database {
  readonly kind = 'postgres';
  readonly db: Kysely<Tables>;
  timescale = false;

  constructor(readonly pool: pg.Pool) {
    this.db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  }

  async prepare(): Promise<void> {
    const lock = await this.pool.connect();
    try {
      await lock.query('select pg_advisory_lock($1)', [LOCK]);
      await migrate({ kind: 'postgres', db: this.db, write: (queries) => this.write(queries) });
      const { rowCount } = await lock.query("select 1 from pg_extension where extname = 'timescaledb'");
      this.timescale = rowCount === 1;
      if (this.timescale) {
        await lock.query(
          "select create_hypertable('samples', 'at', chunk_time_interval => 604800000, if_not_exists => true, migrate_data => true)",
        );
      }
    } finally {
      // the lock goes with the connection
      lock.release(true);
    }
  }

  async write(queries: readonly CompiledQuery[]): Promise<void> {
    const client = await this.pool.connect().catch((error: unknown) => {
      throw known(error);
    });
    let broken = false;
    try {
      await client.query('begin');
      for (const { sql, parameters } of queries) await client.query(sql, parameters as unknown[]);
      await client.query('commit');
    } catch (error) {
      await client.query('rollback').catch(() => {
        broken = true;
      });
      throw known(error);
    } finally {
      client.release(broken);
    }
  }

  /** Its size is its administrator's. */
  async bytes(): Promise<undefined> {}

  /** Autovacuum does that. */
  async compact(): Promise<void> {}

  async close(): Promise<void> {
    await this.db.destroy();
  }
}

function known(error: unknown): Error {
  const { message, code = 'unknown' } = error as Error & { code?: string };
  return new DatabaseError(message, code);
}
