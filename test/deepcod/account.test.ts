import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readAccounts } from '../../edge/web/auth/accounts.js';
import { packageRoot } from '../../platform/root.js';
import { folder, OTHER, PASSWORD } from '../web/auth/rig.js';

t.test('accounts are made, changed, listed and removed; each change is in the audit log', async (t) => {
  const file = join(folder(t), 'state', 'accounts.json');
  const deepcod = async (args: string[], input = ''): Promise<{ code: number; output: string }> => {
    const child = spawn(process.execPath, [
      join(packageRoot(), 'dist/scripts/deepcod.js'),
      ...args,
      '--accounts',
      file,
    ]);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
    child.stdin.end(input);
    const [code] = await once(child, 'close');
    return { code, output };
  };
  t.match(await deepcod(['account', 'add', 'ada'], `${PASSWORD}\n`), { code: 2, output: /--role is missing/ });
  t.match(await deepcod(['account', 'add', 'ada', '--role', 'operator'], 'short\n'), { code: 2, output: /too short/ });
  t.match(await deepcod(['account', 'add', 'ada', '--role', 'operator']), { code: 2, output: /No password/ });
  t.match(await deepcod(['account', 'add', 'a/b', '--role', 'viewer'], PASSWORD), { code: 2 });
  t.equal(readAccounts(file).size, 0);
  t.match(await deepcod(['account', 'add', 'ada', '--role', 'operator'], `${PASSWORD}\n`), { code: 0 });
  t.equal(statSync(file).mode & 0o777, 0o600);
  const first = readAccounts(file).get('ada');
  t.match(await deepcod(['account', 'add', 'ada', '--role', 'viewer'], PASSWORD), {
    code: 2,
    output: /has an account/,
  });
  t.match(await deepcod(['account', 'password', 'ada'], OTHER), { code: 0 });
  const second = readAccounts(file).get('ada');
  t.match(second, { role: 'operator' });
  t.not(second?.password.hash, first?.password.hash);
  t.not(second?.stamp, first?.stamp, 'logins of before end');
  t.match(await deepcod(['account', 'role', 'ada', '--role', 'viewer']), { code: 0 });
  t.match(await deepcod(['account', 'list']), { code: 0, output: /^ada +viewer\n$/ });
  t.match(await deepcod(['account', 'remove', 'ad']), { code: 2, output: /did you mean "ada"/ });
  t.match(await deepcod(['account', 'remove', 'ada']), { code: 0 });
  t.equal(readAccounts(file).size, 0);
  const { output } = await deepcod(['audit']);
  t.equal(output.trim().split('\n').length, 4);
  t.match(output, /account +shell:.*"action":"add","name":"ada","role":"operator"/);
  t.notMatch(output, PASSWORD);
});
