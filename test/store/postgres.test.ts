import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import t, { type Test } from 'tap';
import { History } from '../../edge/store/history/history.js';
import { silentLog } from '../../platform/log.js';
import { freePort } from '../platform/brokers.js';
import { event, folderFor, retention } from './parts.js';

const sample = { at: 60_000, results: 5, failures: 0, drops: 0, bytes: 2 ** 40, p50_ms: 1.5, steps_ms: {}, counts: {} };
const root = '/usr/lib/postgresql';
const bin = existsSync(root)
  ? readdirSync(root)
      .map((version) => join(root, version, 'bin'))
      .find((folder) => existsSync(join(folder, 'postgres')))
  : undefined;
if (!bin) console.log('# PostgreSQL is not installed: the history is not tested on it');
const extensions = (bin ?? '').replace(/^.*\/(\d+)\/bin$/, '/usr/share/postgresql/$1/extension');
const timescaleThere = existsSync(join(extensions, 'timescaledb.control'));
if (bin && !timescaleThere) console.log('# TimescaleDB is not installed: the history is not tested on it');

t.test('the same history in a PostgreSQL', { skip: bin ? false : 'PostgreSQL is not installed' }, (t) =>
  sameHistory(t, false),
);
t.test('and with TimescaleDB', { skip: timescaleThere ? false : 'TimescaleDB is not installed' }, (t) =>
  sameHistory(t, true),
);

async function sameHistory(t: Test, timescale: boolean): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'deepcod-postgres-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  // the server refuses to run as root
  const owner = process.getuid?.() === 0 ? numbers('postgres') : undefined;
  if (owner) chownSync(folder, owner.uid, owner.gid);
  const secret = join(folder, 'password');
  writeFileSync(secret, 'correct horse\n');
  chmodSync(secret, 0o644);
  const data = join(folder, 'data');
  const made = spawnSync(
    join(bin as string, 'initdb'),
    ['-D', data, '-U', 'deepcod', '--pwfile', secret, '-A', 'scram-sha-256', '-E', 'UTF8', '--no-sync'],
    { ...owner, encoding: 'utf8' },
  );
  t.equal(made.status, 0, made.stderr);
  const port = await freePort();
  const start = () =>
    spawn(
      join(bin as string, 'postgres'),
      [
        ...['-D', data, '-p', `${port}`, '-h', '127.0.0.1', '-k', folder, '-F'],
        ...(timescale ? ['-c', 'shared_preload_libraries=timescaledb', '-c', 'timescaledb.telemetry_level=off'] : []),
      ],
      { ...owner, stdio: 'ignore' },
    );
  let server = start();
  t.teardown(async () => {
    server.kill('SIGINT');
    await once(server, 'exit');
  });
  const settings = {
    folder: folderFor(t),
    url: `postgres://deepcod@127.0.0.1:${port}/postgres`,
    password: 'correct horse',
    retention,
  };
  const open = async () => {
    for (let i = 0; ; i++) {
      const history = await History.open(settings, silentLog).catch((error: Error) => error);
      if (!(history instanceof Error)) return history;
      if (i === 100) throw history;
      await new Promise((done) => setTimeout(done, 100));
    }
  };
  /** One query on a connection of its own. */
  const ask = async (text: string): Promise<unknown[]> => {
    const address = { host: '127.0.0.1', port, user: 'deepcod', database: 'postgres' };
    const client = new pg.Client({ ...address, password: settings.password });
    await client.connect();
    return (await client.query(text).finally(() => client.end())).rows;
  };
  if (timescale) {
    // It has come up when a history could be opened; that one knew no TimescaleDB yet.
    const before = await open();
    before.saveSample('gate', { ...sample, at: 0 });
    await before.flush();
    await before.close();
    await ask('create extension timescaledb');
  }
  const history = await open();
  t.teardown(() => history.close());
  t.equal(history.database.kind, 'postgres');
  t.equal(history.database.timescale, timescale);
  if (timescale) {
    t.same(
      await ask('select hypertable_name from timescaledb_information.hypertables'),
      [{ hypertable_name: 'samples' }],
      'what was there before is moved',
    );
    t.match(await history.samples('gate', 0, 1, 60_000), [{ results: 5 }]);
  }
  await t.rejects(History.open({ ...settings, password: 'wrong' }, silentLog), { code: 'history_unusable' });

  const all = Array.from({ length: 30 }, (_, i) =>
    event({ zones: i % 2 ? ['A', 'B'] : [], label: i % 3 ? 'head' : 'helmet' }),
  );
  for (const e of all) history.saveEvent({ ...e, frames: 1 });
  for (const e of all) history.saveEvent(e);
  history.saveEvent(event({ id: 'bad', label: 'a\u0000b' }));
  history.saveSample('gate', sample);
  history.saveChange('gate', { at: 5, partition: 'input', rate: 1, why: 'it’s better' });
  await history.flush();
  t.match(history.counts, { waiting: 0, dropped: 1 }, 'one that cannot be written does not hold up the others');
  t.same(await history.event(all[0].id), all[0]);
  const page = await history.events({ zone: 'B', label: 'head' }, { limit: 4 });
  const next = await history.events({ zone: 'B', label: 'head' }, { limit: 500, cursor: page.next });
  t.same([...page.rows, ...next.rows], all.filter((e) => e.zones.includes('B') && e.label === 'head').reverse());
  t.match(await history.samples('gate', 0, 1e6, 60_000), [{ results: 5, bytes: 2 ** 40, p50_ms: 1.5 }]);
  t.match(await history.changes('gate', 0, 10, 5), [{ why: 'it’s better' }]);

  server.kill('SIGINT');
  await once(server, 'exit');
  const late = event();
  history.saveEvent(late);
  await t.rejects(history.flush(), { code: 'history_failing' });
  t.equal(history.counts.waiting, 1, 'while the server is away, what is new waits');
  server = start();
  for (let i = 0; i < 100 && history.counts.waiting > 0; i++) {
    await new Promise((done) => setTimeout(done, 100));
    await history.flush().catch(() => {});
  }
  t.same(await history.event(late.id), late, 'and is written when it is back');
  const second = await open();
  t.same(await second.event(late.id), late, 'a second start finds the schema');
  await second.close();
}

function numbers(user: string): { uid: number; gid: number } {
  const id = (flag: string): number => Number(spawnSync('id', [flag, user], { encoding: 'utf8' }).stdout);
  return { uid: id('-u'), gid: id('-g') };
}
