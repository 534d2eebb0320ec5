import { readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CompiledQuery } from 'kysely';
import t from 'tap';
import { History } from '../../edge/store/history/history.js';
import { encodeCursor } from '../../edge/store/history/paging.js';
import { Retainer } from '../../edge/store/history/retention.js';
import { eventsQuery } from '../../edge/store/history/search.js';
import type { EventFilter } from '../../edge/store/history/types.js';
import { silentLog } from '../../platform/log.js';
import { event, folderFor, openHistory, retention } from './parts.js';

t.test('no search sorts what it finds: an index has its order', async (t) => {
  const { database } = await openHistory(t);
  const [from, to, cursor] = [
    1_750_000_000_000,
    1_760_000_000_000,
    encodeCursor({ started: 1_755_000_000_000, id: 'e' }),
  ];
  const filters: EventFilter[] = [{}, { zone: 'Door' }, { camera: 'yard' }, { label: 'head' }];
  const more = filters.flatMap((filter) => [filter, { ...filter, from, to }]);
  for (const filter of [...more, { zone: 'Door', camera: 'yard', label: 'head' }]) {
    for (const paging of [{ limit: 50 }, { limit: 50, cursor }]) {
      const { sql, parameters } = eventsQuery(database.db, filter, paging).compile();
      const explain = CompiledQuery.raw(`explain query plan ${sql}`, [...parameters]);
      const { rows } = await database.db.executeQuery<{ detail: string }>(explain);
      const steps = rows.map(({ detail }) => detail).join('; ');
      t.match(steps, /INDEX/, JSON.stringify(filter));
      t.notMatch(steps, /TEMP B-TREE|SCAN e(?! USING)/, JSON.stringify(filter));
    }
  }
});

t.test('events are found by camera, class, zone and time, newest first, page by page', async (t) => {
  const history = await openHistory(t);
  const day = 86_400_000;
  const all = Array.from({ length: 120 }, (_, i) =>
    event({
      started: 1_760_000_000_000 + Math.floor(i / 3) * day,
      camera: i % 2 ? 'gate' : 'yard',
      label: i % 3 ? 'head' : 'helmet',
      zones: i % 4 ? [] : ['Crane', 'Door'],
    }),
  );
  for (const e of all) history.saveEvent(e);
  await history.flush();
  const order = [...all].sort((a, b) => b.started - a.started || (a.id < b.id ? 1 : -1));
  const cases: [object, (e: (typeof all)[number]) => boolean][] = [
    [{}, () => true],
    [{ camera: 'gate' }, (e) => e.camera === 'gate'],
    [{ label: 'helmet' }, (e) => e.label === 'helmet'],
    [{ zone: 'Door' }, (e) => e.zones.includes('Door')],
    [
      { zone: 'Door', camera: 'yard', label: 'head' },
      (e) => e.zones.length > 0 && e.camera === 'yard' && e.label === 'head',
    ],
    [
      { from: 1_760_000_000_000 + 10 * day, to: 1_760_000_000_000 + 12 * day },
      (e) => (e.ended ?? 0) >= 1_760_000_000_000 + 10 * day && e.started <= 1_760_000_000_000 + 12 * day,
    ],
    [{ camera: 'nowhere' }, () => false],
  ];
  for (const [filter, fits] of cases) {
    const found = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const page = await history.events(filter, { limit: 7, cursor });
      t.ok(page.rows.length <= 7);
      found.push(...page.rows);
      cursor = page.next;
      pages++;
    } while (cursor && pages < 100);
    t.same(found, order.filter(fits), JSON.stringify(filter));
  }
  t.same(await history.event(all[4].id), all[4]);
  t.equal(await history.event('none'), undefined);
  await t.rejects(history.events({}, { limit: 5, cursor: 'junk' }), { code: 'cursor_invalid' });
});

t.test('a newer state takes the place of an older one, written or waiting', async (t) => {
  const history = await openHistory(t);
  const e = event({ ended: undefined });
  history.saveEvent(e);
  history.saveEvent({ ...e, frames: 10, zones: ['A'] });
  t.equal(history.counts.waiting, 1);
  await history.flush();
  history.saveEvent({ ...e, frames: 11, zones: ['A', 'B'], ended: e.started + 9 });
  await history.flush();
  t.match(await history.event(e.id), { frames: 11, zones: ['A', 'B'], ended: e.started + 9 });
  t.equal((await history.events({ zone: 'B' }, { limit: 5 })).rows.length, 1);
  t.match(history.counts, { waiting: 0, written: 2, dropped: 0 });
});

t.test('what was kept is there after a restart, and people’s retention with it', async (t) => {
  const folder = folderFor(t);
  const first = await History.open({ folder, retention }, silentLog);
  const e = event();
  first.saveEvent(e);
  first.savePicture(e.id, Buffer.from('picture'));
  await first.setRetention({ ...retention, days: 7 });
  await first.close();
  const second = await History.open({ folder, retention }, silentLog);
  t.teardown(() => second.close());
  t.same(await second.event(e.id), { ...e, snapshot: true });
  t.equal((await second.snapshot(e.id))?.toString(), 'picture');
  t.equal(second.retention().days, 7);
});

t.test('minutes are put together: sums, means by results, the worst p95', async (t) => {
  const history = await openHistory(t);
  const base = { failures: 0, drops: 1, bytes: 100, steps_ms: {}, partition: 'input', rate: 1 };
  const start = 1_760_000_040_000 - (1_760_000_040_000 % 600_000);
  for (let i = 0; i < 20; i++) {
    history.saveSample('gate', {
      ...base,
      at: start + i * 60_000,
      results: i < 10 ? 10 : 30,
      p50_ms: i < 10 ? 10 : 20,
      p95_ms: i,
      counts: { head: { max: i, mean: 1 } },
      rate: i,
    });
  }
  await history.flush();
  const one = await history.samples('gate', 0, Date.now(), 60_000);
  t.equal(one.length, 20);
  const ten = await history.samples('gate', start, start + 3_600_000, 600_000);
  t.match(ten, [
    {
      at: start,
      results: 100,
      drops: 10,
      bytes: 1000,
      p50_ms: 10,
      p95_ms: 9,
      counts: { head: { max: 9, mean: 1 } },
      rate: 9,
    },
    { at: start + 600_000, results: 300, p50_ms: 20, p95_ms: 19, counts: { head: { max: 19 } } },
  ]);
  const hour = await history.samples('gate', start, start + 3_600_000, 3_600_000);
  t.equal(
    hour.reduce((sum, s) => sum + s.results, 0),
    400,
  );
  t.same(await history.samples('other', 0, Date.now(), 60_000), []);
});

t.test('retention: days first, then size, the oldest before the newest, and the file shrinks', async (t) => {
  const history = await openHistory(t);
  const { database, pictures } = history;
  const now = 1_760_000_000_000;
  const day = 86_400_000;
  const long = 'z'.repeat(40);
  for (let i = 0; i < 6000; i++) {
    history.saveEvent(event({ id: `r${i}`, started: now - i * 1_200_000, zones: i % 3 ? [] : [long] }));
    if (i % 3000 === 2999) await history.flush();
  }
  await history.flush();
  const full = (await database.bytes()) ?? 0;
  const retainer = (limits: Partial<typeof retention>) =>
    new Retainer(database, pictures, { ...retention, ...limits }, () => history.flush(), silentLog);
  await retainer({ days: 60 }).run(now);
  const afterDays = (await history.oldest()) ?? 0;
  t.ok(afterDays >= now - 60 * day && afterDays < now - 59 * day, 'sixty days are left');
  const small = retainer({ days: 60, megabytes: 1 });
  for (let i = 0; i < 3; i++) await small.run(now);
  const bytes = (await database.bytes()) ?? 0;
  t.ok(bytes <= 1e6, `${bytes} of ${full} bytes`);
  t.ok(((await history.oldest()) ?? 0) > afterDays);
  t.ok(await history.event('r0'), 'the newest is there');
  const { rows } = await history.events({ zone: long }, { limit: 500 });
  t.ok(rows.length > 0);
  const counted = await database.db
    .selectFrom('event_zones')
    .select((of) => of.fn.countAll<number>().as('n'))
    .execute();
  const left = await database.db.selectFrom('events').select('id').where('zones', '!=', '[]').execute();
  t.equal(counted[0].n, left.length, 'zones of events that are gone are gone');
  const file = await stat(join(pictures.folder, '..', 'history.db'));
  t.ok(file.size < full * 0.8, `the file: ${file.size}`);
});

t.test('a full database makes room for what is new, and nothing else stops', async (t) => {
  const history = await openHistory(t, { retention: { ...retention, megabytes: 1 } });
  const pad = Array.from({ length: 12 }, (_, i) => `${'p'.repeat(50)}${i}`);
  for (let i = 0; i < 800; i++) {
    history.saveEvent(
      event({ id: `f${String(i).padStart(5, '0')}`, started: 1_760_000_000_000 + i * 60_000, zones: pad }),
    );
    if (i % 250 === 249) await history.flush().catch(() => {});
  }
  for (let i = 0; i < 50 && history.counts.waiting > 0; i++) {
    await history.flush().catch(() => {});
    await new Promise((done) => setTimeout(done, 50));
  }
  t.match(history.counts, { waiting: 0, dropped: 0 });
  t.ok(await history.event('f00799'), 'the newest is kept');
  t.notOk(await history.event('f00000'), 'the oldest made room');
  const file = await stat(join(history.pictures.folder, '..', 'history.db'));
  t.ok(file.size <= 1.25e6 + 4096, `${file.size} bytes`);
});

t.test('snapshots: whole or not there, bounded in bytes and days, none without its event', async (t) => {
  const folder = folderFor(t);
  const settings = { folder, retention: { ...retention, snapshot_megabytes: 1 } };
  const history = await History.open(settings, silentLog);
  const { pictures } = history;
  const events = Array.from({ length: 30 }, () => event());
  for (const e of events) {
    history.saveEvent(e);
    await pictures.save(e.id, Buffer.alloc(50_000, 1));
  }
  t.ok(pictures.bytes <= 1e6 && pictures.count === 20, `${pictures.count} pictures`);
  t.notOk(pictures.has(events[0].id), 'the oldest made room');
  t.ok(pictures.has(events[29].id));
  await pictures.save('orphan', Buffer.from('x'));
  await history.flush();
  const retainer = new Retainer(history.database, pictures, settings.retention, () => history.flush(), silentLog);
  t.equal(await retainer.removeOrphans(), 1);
  t.notOk(pictures.has('orphan'));
  await history.close();

  const shots = join(folder, 'snapshots');
  await writeFile(join(shots, 'half.jpg.part'), 'half');
  await writeFile(join(shots, 'README.txt'), 'not ours');
  const old = new Date(Date.now() - 40 * 86_400_000);
  await utimes(join(shots, `${events[20].id}.jpg`), old, old);
  const again = await History.open(settings, silentLog);
  t.teardown(() => again.close());
  t.notOk((await readdir(shots)).includes('half.jpg.part'), 'what was half written is gone');
  t.equal(await again.pictures.prune(1e6, Date.now() - 30 * 86_400_000), 1, 'the old one goes');
  t.notOk(again.pictures.has(events[20].id));
  t.ok((await readdir(shots)).includes('README.txt'));
});

t.test('a damaged database is put aside; a folder that cannot be used is an error that says so', async (t) => {
  const folder = folderFor(t);
  await writeFile(join(folder, 'history.db'), 'this is not a database, '.repeat(500));
  const history = await History.open({ folder, retention }, silentLog);
  history.saveEvent(event());
  await history.flush();
  await history.close();
  t.ok((await readdir(folder)).some((name) => name.startsWith('history.db.damaged-')));
  await writeFile(join(folder, 'file'), '');
  await t.rejects(History.open({ folder: join(folder, 'file'), retention }, silentLog), {
    code: 'history_unusable',
    exitCode: 2,
    hint: /history\.folder/,
  });
});
