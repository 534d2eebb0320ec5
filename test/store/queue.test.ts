import t from 'tap';
import { WriteQueue } from '../../edge/store/history/queue.js';
import { DatabaseError } from '../../edge/store/history/tables.js';
import { silentLog } from '../../platform/log.js';
import { failing, openHistory } from './parts.js';

t.test('while the database fails, the newest wait, the oldest are given up and counted', async (t) => {
  const history = await openHistory(t);
  const database = failing(history.database);
  let full = 0;
  const queue = new WriteQueue(database, silentLog, async () => void full++, 100);
  t.teardown(() => queue.close());
  const put = (key: string, value: string) =>
    queue.push([database.db.insertInto('settings').values({ key, value }).compile()], key);
  database.fault = new DatabaseError('database or disk is full', 'SQLITE_FULL');
  for (let i = 0; i < 150; i++) put(`k${i}`, 'v');
  await queue.flush();
  t.match(queue.counts, { waiting: 100, written: 0, dropped: 50, failing: 'database or disk is full' });
  t.equal(full, 1, 'room was asked for');
  database.fault = undefined;
  await queue.flush();
  t.same(queue.counts, { waiting: 0, written: 100, dropped: 50 });
  const rows = await database.db.selectFrom('settings').select('key').execute();
  t.same(new Set(rows.map(({ key }) => key)), new Set(Array.from({ length: 100 }, (_, i) => `k${i + 50}`)));
});

t.test('one that can never be written does not hold up the others', async (t) => {
  const history = await openHistory(t);
  const { database } = history;
  const queue = new WriteQueue(database, silentLog, async () => {});
  t.teardown(() => queue.close());
  const put = (key: string, value: string | null) =>
    queue.push([
      database.db
        .insertInto('settings')
        .values({ key, value: value as string })
        .compile(),
    ]);
  put('a', '1');
  put('bad', null);
  put('b', '2');
  put('a', 'twice');
  await queue.flush();
  t.same(queue.counts, { waiting: 0, written: 2, dropped: 2 });
});

t.test('what comes together is written together, or not at all', async (t) => {
  const history = await openHistory(t);
  const { database } = history;
  const insert = (key: string, value: string | null) =>
    database.db
      .insertInto('settings')
      .values({ key, value: value as string })
      .compile();
  await t.rejects(database.write([insert('x', '1'), insert('y', null)]), { name: 'DatabaseError', lasting: true });
  t.same(await database.db.selectFrom('settings').selectAll().execute(), []);
});
