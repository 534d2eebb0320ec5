/** The inside of a database thread: one connection, one question after the other. Started by SqliteThread only. */
import { parentPort, workerData } from 'node:worker_threads';
import Sqlite from 'libsql';
import type { FromThread, Statement, ThreadSetup, ToThread } from './messages.js';

/** Prepared statements that are kept. */
const PREPARED = 100;
const PAGE = 4096;

const port = parentPort;
if (!port) throw new Error('edge/store/history/sqlite/thread.js runs as a worker thread only');
const { file, readonly, maxBytes } = workerData as ThreadSetup;

const failure = (error: unknown): FromThread => {
  const { message, code = 'SQLITE_ERROR' } = error as Error & { code?: string };
  return { error: { message, code } };
};

function open(): Sqlite.Database {
  // a reader may be a moment earlier than a checkpoint allows, a second process may be looking at the file
  const db = new Sqlite(file, { readonly, timeout: 5000 });
  if (!readonly) {
    // must come before the first table; the file then gives space back in small steps
    db.pragma('auto_vacuum = INCREMENTAL');
    db.pragma('journal_mode = WAL');
    db.pragma('foreign_keys = ON');
    db.pragma('journal_size_limit = 16777216');
    limit(db, maxBytes);
  }
  db.pragma('synchronous = NORMAL');
  db.pragma('cache_size = -8192');
  db.pragma('temp_store = MEMORY');
  return db;
}

function limit(db: Sqlite.Database, bytes: number): void {
  if (bytes > 0) db.pragma(`max_page_count = ${Math.ceil(bytes / PAGE)}`);
}

const prepared = new Map<string, Sqlite.Statement>();

function run(db: Sqlite.Database, { sql, parameters }: Statement): { rows: unknown[]; changes: number } {
  let statement = prepared.get(sql);
  prepared.delete(sql);
  statement ??= db.prepare(sql);
  prepared.set(sql, statement);
  if (prepared.size > PREPARED) prepared.delete(prepared.keys().next().value as string);
  if (statement.reader) return { rows: statement.all(parameters as unknown[]), changes: 0 };
  return { rows: [], changes: statement.run(parameters as unknown[]).changes };
}

function write(db: Sqlite.Database, statements: readonly Statement[]): number {
  let changes = 0;
  db.exec('BEGIN IMMEDIATE');
  try {
    for (const statement of statements) changes += run(db, statement).changes;
    db.exec('COMMIT');
  } catch (error) {
    // a full disk has ended the transaction already
    if (db.inTransaction) db.exec('ROLLBACK');
    throw error;
  }
  return changes;
}

function answer(db: Sqlite.Database, message: Exclude<ToThread, { op: 'close' }>): FromThread {
  if (message.op === 'query') return run(db, message);
  if (message.op === 'write') return { rows: [], changes: write(db, message.statements) };
  if (message.op === 'limit') limit(db, message.maxBytes);
  else db.prepare(`pragma incremental_vacuum(${message.pages})`).all();
  return { rows: [], changes: 0 };
}

try {
  const db = open();
  port.on('message', (message: ToThread) => {
    if (message.op === 'close') {
      prepared.clear();
      db.close();
      port.postMessage({ rows: [], changes: 0 });
      port.close();
      return;
    }
    try {
      port.postMessage(answer(db, message));
    } catch (error) {
      port.postMessage(failure(error));
    }
  });
  port.postMessage({ rows: [], changes: 0 });
} catch (error) {
  port.postMessage(failure(error));
}
