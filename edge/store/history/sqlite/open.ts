import { rename } from 'node:fs/promises';
import { type CompiledQuery, Kysely, sql } from 'kysely';
import type { Log } from '../../../../platform/log.js';
import { migrate } from '../migrations.js';
import type { Database, DatabaseError, Tables } from '../tables.js';
import { SqliteThread } from './connection.js';
import { sqliteDialect } from './dialect.js';

/** Pages given back to the file system in one step: 8 MB. */
const COMPACT_PAGES = 2048;

/**
 * Opens the embedded database, and makes it if it is not there. A file that is damaged is put aside, and a new one begun:
 * what was seen yesterday must not keep the edge from seeing today.
 * @param maxBytes the file never grows beyond
 * @throws DatabaseError
 */
export async function openSqlite(file: string, maxBytes: number, log: Log): Promise<Database> {
  try {
    return await open(file, maxBytes);
  } catch (error) {
    const { code } = error as DatabaseError;
    if (code !== 'SQLITE_NOTADB' && !code?.startsWith('SQLITE_CORRUPT')) throw error;
    const aside = `${file}.damaged-${Date.now()}`;
    log.error('the history is damaged: it is put aside, and a new one begun', { file: aside, error });
    for (const suffix of ['', '-wal', '-shm']) {
      await rename(file + suffix, aside + suffix).catch((missing: NodeJS.ErrnoException) => {
        if (missing.code !== 'ENOENT') throw missing;
      });
    }
    return open(file, maxBytes);
  }
}

async function open(file: string, maxBytes: number): Promise<Database> {
  const writer = await SqliteThread.open({ file, readonly: false, maxBytes });
  let reader: SqliteThread | undefined;
  try {
    const write = (queries: readonly CompiledQuery[]) => writer.write(queries);
    await migrate({ kind: 'sqlite', db: new Kysely<Tables>({ dialect: sqliteDialect(writer) }), write });
    // apart from the writer, so that a long search does not make changes wait
    reader = await SqliteThread.open({ file, readonly: true, maxBytes: 0 });
    return new SqliteDatabase(writer, reader);
  } catch (error) {
    await reader?.close();
    await writer.close();
    throw error;
  }
}

class SqliteDatabase implements Database {
  readonly kind = 'sqlite';
  readonly db: Kysely<Tables>;

  constructor(
    readonly writer: SqliteThread,
    readonly reader: SqliteThread,
  ) {
    this.db = new Kysely<Tables>({ dialect: sqliteDialect(reader) });
  }

  write(queries: readonly CompiledQuery[]): Promise<void> {
    return this.writer.write(queries);
  }

  async bytes(): Promise<number> {
    const read = async (name: string): Promise<number> => {
      const { rows } = await sql<Record<string, number>>`select * from ${sql.raw(`pragma_${name}`)}`.execute(this.db);
      return Object.values(rows[0] ?? {}).find((value) => typeof value === 'number') ?? 0;
    };
    const [pages, free, size] = await Promise.all([read('page_count'), read('freelist_count'), read('page_size')]);
    return (pages - free) * size;
  }

  compact(): Promise<void> {
    return this.writer.compact(COMPACT_PAGES);
  }

  async close(): Promise<void> {
    await this.reader.close();
    await this.writer.close();
  }
}
