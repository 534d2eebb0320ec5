import { statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Accounts, newStamp, readAccounts, writeAccounts } from '../../../edge/web/auth/accounts.js';
import { checkPassword, hashPassword, weakness } from '../../../edge/web/auth/password.js';
import { Sessions } from '../../../edge/web/auth/sessions.js';
import { Throttle } from '../../../edge/web/auth/throttle.js';
import { folder, PASSWORD } from './rig.js';

t.test('passwords: scrypt with a salt each, also for names that nobody has', async (t) => {
  const hash = await hashPassword(PASSWORD);
  t.match(hash, { n: 32768, r: 8, p: 3 });
  t.not(hash.salt, (await hashPassword(PASSWORD, { n: 1024, r: 8, p: 1 })).salt);
  t.equal(await checkPassword(PASSWORD, hash), true);
  t.equal(await checkPassword(`${PASSWORD}.`, hash), false);
  t.equal(await checkPassword(PASSWORD, undefined, hash), false, 'not even the right one');
  t.equal(await checkPassword('cafe\u0301 au lait noir', await hashPassword('café au lait noir')), true);
  // the processor's time, not the clock's: other tests run beside this one
  const cost = async (known: boolean): Promise<number> => {
    const before = process.cpuUsage();
    await checkPassword('something else entirely', known ? hash : undefined, hash);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  const [known, unknown] = [await cost(true), await cost(false)];
  t.ok(known / unknown < 2 && unknown / known < 2, `${known} and ${unknown} us of processor time`);
});

t.test('weak passwords', (t) => {
  const weak = [
    'short',
    'aaaaaaaaaaaaaaa',
    'passwordpassword',
    'Password1234',
    'admin admin admin',
    'abababababababab',
  ];
  for (const password of [...weak, 'x'.repeat(300), 'I am vicvic-vic', '1234567890']) {
    t.ok(weakness(password, 'vicvic'), password.slice(0, 30));
  }
  for (const password of [PASSWORD, 'Xk29_dsPq!v0', 'длинный пароль здесь'])
    t.equal(weakness(password, 'ada'), undefined);
  t.end();
});

t.test('waits double up to a limit, and memory has one', (t) => {
  const throttle = new Throttle();
  let now = 0;
  const waits: number[] = [];
  for (let i = 0; i < 30; i++) {
    throttle.failed('10.0.0.1', `n${i}`, now);
    waits.push(throttle.wait('10.0.0.1', 'x', now));
    now += waits[i];
  }
  t.same(waits.slice(8, 14), [0, 0, 1000, 2000, 4000, 8000]);
  t.equal(Math.max(...waits), 15 * 60_000, 'an address waits a quarter of an hour at most');
  for (let i = 0; i < 40; i++) throttle.failed(`10.0.1.${i}`, 'ada', now);
  t.equal(throttle.wait('10.9.9.9', 'ada', now), 30_000, 'and a name half a minute, whoever guesses');
  t.equal(throttle.wait('10.9.9.9', 'vic', now), 0);
  for (let i = 0; i < 30_000; i++) throttle.failed(`a${i}`, `b${i}`, now);
  t.ok(throttle.size <= 10_000);
  t.end();
});

t.test('sessions are limited, and no id is kept', (t) => {
  const sessions = new Sessions(1000, 10_000);
  const ids = Array.from({ length: 25 }, () => sessions.begin('ada', 's', 0));
  t.equal(sessions.size, 20, 'of one account');
  t.equal(sessions.use(ids[0], 1), undefined, 'the oldest goes');
  t.ok(sessions.use(ids[24], 1));
  for (let i = 0; i < 1500; i++) sessions.begin(`a${i}`, 's', 1);
  t.ok(sessions.size <= 1000);
  sessions.sweep(5000, () => true);
  t.equal(sessions.size, 0, 'what is over goes by itself');
  for (const id of [undefined, '', 'x', 'x'.repeat(1e6)]) t.equal(sessions.use(id, 0), undefined);
  t.end();
});

t.test('the file of accounts: for its owner alone, whole or not at all, and read again when it changes', async (t) => {
  const file = join(folder(t), 'deep', 'accounts.json');
  const account = {
    name: 'ada',
    role: 'operator' as const,
    stamp: newStamp(),
    password: await hashPassword('x', { n: 1024, r: 8, p: 1 }),
  };
  await writeAccounts(file, [account]);
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.match(readAccounts(file).get('ada'), { name: 'ada', role: 'operator' });
  const errors: Error[] = [];
  const accounts = new Accounts(file, (error) => errors.push(error));
  const { writeFileSync, chmodSync } = await import('node:fs');
  writeFileSync(file, '{"accounts": [{"name": "eve", "role": "god"}]}');
  t.ok(accounts.get('ada'), 'a damaged file changes nothing');
  t.match(errors[0], { code: 'accounts_damaged' });
  await writeAccounts(file, [{ ...account, name: 'eve' }]);
  t.notOk(accounts.get('ada'));
  t.ok(accounts.get('eve'));
  chmodSync(file, 0o644);
  t.throws(() => readAccounts(file), { code: 'accounts_damaged', hint: /chmod 600/ });
});
