import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { AuditLog, readAudit } from '../../../edge/audit/log.js';
import { folder } from './rig.js';

t.test('an entry is one line, in order, for the owner alone', async (t) => {
  const file = join(folder(t), 'audit.jsonl');
  const audit = await AuditLog.open(file);
  for (let i = 0; i < 50; i++) audit.add({ event: 'command', user: `u${i}`, detail: 'a\nb' });
  t.same(
    (await audit.last(3)).map(({ user }) => user),
    ['u47', 'u48', 'u49'],
  );
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.equal(readFileSync(file, 'utf8').trimEnd().split('\n').length, 50, 'a line break inside does not make two');
  await audit.close();
});

t.test('half a line, where power failed, costs that entry alone', async (t) => {
  const file = join(folder(t), 'audit.jsonl');
  let audit = await AuditLog.open(file);
  audit.add({ event: 'login', user: 'before' });
  await audit.close();
  appendFileSync(file, '{"time":"2026-11-21T00:00:00.000Z","event":"log');
  audit = await AuditLog.open(file);
  audit.add({ event: 'login', user: 'after' });
  t.same(
    (await audit.last(10)).map(({ user }) => user),
    ['before', 'after'],
  );
  await audit.close();
});

t.test('it stays below 5 MB, and keeps the newest', async (t) => {
  const file = join(folder(t), 'audit.jsonl');
  for (let i = 0; i < 5; i++) writeFileSync(i === 0 ? file : `${file}.${i}`, 'x'.repeat(1024 * 1024 - 10));
  const audit = await AuditLog.open(file);
  for (let i = 0; i < 20; i++) audit.add({ event: 'command', user: `u${i}`, detail: 'y'.repeat(1000) });
  await audit.close();
  t.notOk(existsSync(`${file}.5`));
  t.ok(statSync(file).size < 30_000, 'a new file began');
  t.equal((await readAudit(file, 100)).length, 20);
});

t.test('what is too long is shortened, and what cannot be written is told', async (t) => {
  const file = join(folder(t), 'audit.jsonl');
  const audit = await AuditLog.open(file);
  audit.add({ event: 'command', user: 'ada', detail: 'z'.repeat(10_000) });
  t.match(await audit.last(1), [{ user: 'ada', detail: 'too long' }]);
  for (let i = 0; i < 1500; i++) audit.add({ event: 'command', user: 'flood' });
  t.match(await audit.last(1), [{ event: 'lost', detail: 500 }]);
  await audit.close();
  await t.rejects(AuditLog.open(join(file, 'audit.jsonl')), { code: 'audit_unwritable' });
});
