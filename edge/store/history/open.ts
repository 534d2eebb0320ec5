import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../../../platform/log.js';
import type { HistorySettings } from './history.js';
import { openPostgres } from './postgres.js';
import { openSqlite } from './sqlite/open.js';
import type { Database } from './tables.js';

/** The file may be this much larger than people allow, before the oldest has made room. */
const SLACK = 1.25;

/** The database that the settings name, with the newest schema. @throws DatabaseError, DeepcodError, of the file system */
export async function openDatabase({ folder, url, password, retention }: HistorySettings, log: Log): Promise<Database> {
  await mkdir(folder, { recursive: true, mode: 0o750 });
  if (url !== undefined) return openPostgres(url, password, log);
  const file = join(folder, 'history.db');
  const database = await openSqlite(file, retention.megabytes * 1e6 * SLACK, log);
  await chmod(file, 0o640);
  return database;
}
