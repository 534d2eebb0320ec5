import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import t from 'tap';
import { History } from '../../edge/store/history/history.js';
import { silentLog } from '../../platform/log.js';
import { folderFor, retention } from './parts.js';

const writer = fileURLToPath(new URL('./writer.js', import.meta.url));

t.test('killed while it writes, again and again: the database opens and holds all that was written', async (t) => {
  const folder = folderFor(t);
  for (const delay of [0, 7, 31]) {
    const child = spawn(process.execPath, [writer, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (data: string) => {
      text += data;
    });
    while (text.split('\n').length < 6) await once(child.stdout, 'data');
    await new Promise((done) => setTimeout(done, delay));
    child.kill('SIGKILL');
    await once(child, 'exit');
    const last = Number(text.trim().split('\n').at(-1));
    const history = await History.open({ folder, retention }, silentLog);
    const { db } = history.database;
    const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(db);
    t.equal(rows[0].integrity_check, 'ok');
    for (const i of [0, last - 49, last]) t.ok(await history.event(`w${i}`), `event ${i} of ${last}`);
    const { rows: zones } = await sql<{ n: number }>`
      select count(*) as n from events where (select count(*) from event_zones where event = id) != 2`.execute(db);
    t.equal(zones[0].n, 0, 'no event without its zones');
    const some = await history.snapshot(`w${Math.max(0, last - 49)}`);
    t.ok(some === undefined || some.length === 2000, 'no half picture');
    await history.close();
  }
});
