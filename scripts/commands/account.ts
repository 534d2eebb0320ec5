import { userInfo } from 'node:os';
import { AuditLog } from '../../edge/audit/log.js';
import {
  type Account,
  type AccountRole,
  accountName,
  newStamp,
  readAccounts,
  writeAccounts,
} from '../../edge/web/auth/accounts.js';
import { hashPassword, SHORTEST, weakness } from '../../edge/web/auth/password.js';
import { DeepcodError, ExitCode } from '../../platform/errors.js';
import { usageError } from '../../platform/main.js';
import { parseOptionsAndNames, text } from '../../platform/options.js';
import { didYouMean } from '../../platform/suggest.js';
import { askPassword } from './account/ask.js';
import { filesOf } from './account/files.js';

export const usage = `usage: ./scripts/deepcod account add NAME --role viewer|operator --accounts FILE
       ./scripts/deepcod account password|remove NAME --accounts FILE
       ./scripts/deepcod account role NAME --role viewer|operator --accounts FILE
       ./scripts/deepcod account list --accounts FILE

Who may open the edge's page. A viewer looks; an operator also changes rules and zones and commands devices. The password is asked
for, or read from standard input: ${SHORTEST} characters at least. A running page takes changes up within seconds, and ends the logins of
whom they concern.

  --accounts FILE  the file of accounts (made by the first 'add'; web.accounts in edge.yaml)
  --config FILE    edge.yaml that names it, in place of --accounts
  --role ROLE      viewer or operator
  --help           this text

Exit codes: 0 done, 1 unexpected, 2 usage, or a password that is too weak.`;

const ACTIONS = ['add', 'password', 'role', 'remove', 'list'];

export async function run(args: string[]): Promise<number> {
  const { values, names } = parseOptionsAndNames(args, { accounts: text, config: text, role: text }, 2);
  const [action, name] = names;
  if (!ACTIONS.includes(action)) throw usageError(`${action ?? 'What'}: ${didYouMean(action ?? '', ACTIONS)}`);
  const files = filesOf(values);
  const accounts = readAccounts(files.accounts);
  if (action === 'list') {
    for (const account of accounts.values()) process.stdout.write(`${account.name.padEnd(24)} ${account.role}\n`);
    return ExitCode.ok;
  }
  if (name === undefined) throw usageError(`account ${action}: whose? Name the account.`);
  if (!accountName.test(name))
    throw usageError(`${name}: 1 to 64 of A-Z a-z 0-9 . _ @ -, beginning with a letter or digit`);
  const known = accounts.get(name);
  if (action === 'add' && known)
    throw usageError(`${name} has an account; change it with 'account password' or 'account role'`);
  if (action !== 'add' && !known) throw usageError(`${name} has no account; ${didYouMean(name, [...accounts.keys()])}`);
  if (action === 'remove') accounts.delete(name);
  else accounts.set(name, await changed(action, name, known, values.role));
  await writeAccounts(files.accounts, accounts.values());
  const audit = await AuditLog.open(files.audit);
  audit.add({
    event: 'account',
    user: `shell:${userInfo().username}`,
    detail: { action, name, role: accounts.get(name)?.role },
  });
  await audit.close();
  process.stdout.write(`${name}: ${action === 'remove' ? 'removed' : accounts.get(name)?.role}\n`);
  return ExitCode.ok;
}

async function changed(
  action: string,
  name: string,
  known: Account | undefined,
  role: string | undefined,
): Promise<Account> {
  const wanted = action === 'password' ? known?.role : roleOf(role);
  if (action === 'role' && known) return { ...known, role: wanted ?? known.role, stamp: newStamp() };
  const password = await askPassword(name);
  const weak = weakness(password, name);
  if (weak !== undefined) {
    const hint = 'Four words that have nothing to do with each other are good, and easy to type.';
    throw new DeepcodError('weak_password', `This password cannot be used: ${weak}.`, hint, ExitCode.usage);
  }
  return { name, role: wanted ?? 'viewer', password: await hashPassword(password), stamp: newStamp() };
}

function roleOf(role: string | undefined): AccountRole {
  if (role === 'viewer' || role === 'operator') return role;
  throw usageError(role === undefined ? '--role is missing: viewer or operator' : `--role ${role}: viewer or operator`);
}
