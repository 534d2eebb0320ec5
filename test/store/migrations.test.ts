import { join } from 'node:path';
import { Kysely } from 'kysely';
import t from 'tap';
import { History } from '../../edge/store/history/history.js';
import { migrate, SCHEMA_VERSION } from '../../edge/store/history/migrations.js';
import { SqliteThread } from '../../edge/store/history/sqlite/connection.js';
import { sqliteDialect } from '../../edge/store/history/sqlite/dialect.js';
import type { Tables } from '../../edge/store/history/tables.js';
import { silentLog } from '../../platform/log.js';
import { event, folderFor, retention } from './parts.js';

async function open(folder: string) {
  const thread = await SqliteThread.open({ file: join(folder, 'history.db'), readonly: false, maxBytes: 0 });
  const db = new Kysely<Tables>({ dialect: sqliteDialect(thread) });
  return {
    thread,
    db,
    kind: 'sqlite' as const,
    write: (queries: Parameters<typeof thread.write>[0]) => thread.write(queries),
  };
}

t.test('an older database is brought forward, and keeps what it holds', async (t) => {
  const folder = folderFor(t);
  const old = await open(folder);
  await migrate(old, 1);
  const { snapshot: _, ended, ...e } = event();
  const row = { ...e, ended: ended ?? null, zones: '[]', box: '[0,0,1,1]' };
  await old.write([old.db.insertInto('events').values(row).compile()]);
  await t.rejects(old.db.selectFrom('outbox').selectAll().execute(), /outbox/, 'version 1 has no outbox');
  await old.thread.close();
  const history = await History.open({ folder, retention }, silentLog);
  t.teardown(() => history.close());
  t.match(await history.event(e.id), { camera: 'gate', box: [0, 0, 1, 1] });
  t.same(await history.database.db.selectFrom('outbox').selectAll().execute(), []);
  const versions = await history.database.db.selectFrom('schema_version').select('version').execute();
  t.same(
    versions.map(({ version }) => version),
    Array.from({ length: SCHEMA_VERSION }, (_, i) => i + 1),
  );
});

t.test('a database of a newer program is left alone', async (t) => {
  const folder = folderFor(t);
  const newer = await open(folder);
  await migrate(newer);
  await newer.write([
    newer.db
      .insertInto('schema_version')
      .values({ version: SCHEMA_VERSION + 1, at: 0 })
      .compile(),
  ]);
  await newer.thread.close();
  await t.rejects(History.open({ folder, retention }, silentLog), { code: 'history_newer', exitCode: 2 });
});
