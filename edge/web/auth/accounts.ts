import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DeepcodError, ExitCode } from '../../../platform/errors.js';
import type { PasswordHash } from './password.js';

export type AccountRole = 'viewer' | 'operator';

export interface Account {
  name: string;
  role: AccountRole;
  password: PasswordHash;
  /** Anew with each change: sessions of before end. */
  stamp: string;
}

/** A name: 1..64 of A-Z a-z 0-9 . _ @ -, beginning with a letter or digit. */
export const accountName = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;
export const newStamp = (): string => randomBytes(9).toString('base64url');

/**
 * Reads a file of accounts.
 * @returns by name; none where there is no file
 * @throws DeepcodError `accounts_damaged` (exit code 2), also where others can read it
 */
export function readAccounts(file: string): Map<string, Account> {
  let text: string;
  try {
    if ((statSync(file).mode & 0o077) !== 0)
      throw damaged(file, 'others than its owner can read it', `chmod 600 ${file}`);
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    if (error instanceof DeepcodError) throw error;
    throw damaged(file, `cannot be read: ${(error as Error).message}`);
  }
  let accounts: unknown;
  try {
    accounts = (JSON.parse(text) as { accounts?: unknown }).accounts;
  } catch (error) {
    throw damaged(file, `is no JSON: ${(error as Error).message}`);
  }
  if (!Array.isArray(accounts) || !accounts.every(isAccount)) throw damaged(file, 'holds something else than accounts');
  return new Map(accounts.map((account) => [account.name, account]));
}

/** Writes the file anew, whole or not at all; only its owner can read it. */
export async function writeAccounts(file: string, accounts: Iterable<Account>): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const part = `${file}.part`;
  const handle = await open(part, 'w', 0o600);
  try {
    await handle.chmod(0o600);
    await handle.writeFile(`${JSON.stringify({ v: 1, accounts: [...accounts] }, undefined, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(part, file);
}

/** The accounts of a running page: read again when the file changes. */
export class Accounts {
  #accounts: Map<string, Account>;
  #seen: string;

  /** @throws DeepcodError as {@link readAccounts} */
  constructor(
    readonly file: string,
    /** Told of a file that cannot be used: the accounts stay as they were. */
    readonly failed: (error: Error) => void,
  ) {
    this.#seen = this.#look();
    this.#accounts = readAccounts(file);
  }

  get size(): number {
    return this.#accounts.size;
  }

  /** A hash as these accounts have them, for names that nobody has. */
  get usual(): PasswordHash | undefined {
    for (const { password } of this.#accounts.values()) return password;
    return undefined;
  }

  get(name: string): Account | undefined {
    const seen = this.#look();
    if (seen !== this.#seen) {
      this.#seen = seen;
      try {
        this.#accounts = readAccounts(this.file);
      } catch (error) {
        this.failed(error as Error);
      }
    }
    return this.#accounts.get(name);
  }

  #look(): string {
    const stat = statSync(this.file, { throwIfNoEntry: false });
    return stat ? `${stat.ino} ${stat.mtimeMs} ${stat.size}` : 'none';
  }
}

function isAccount(value: unknown): value is Account {
  const { name, role, password, stamp } = (value ?? {}) as Partial<Account>;
  const { n, r, p, salt, hash } = (password ?? {}) as Partial<PasswordHash>;
  const whole = (number: unknown, most: number) =>
    Number.isInteger(number) && Number(number) >= 1 && Number(number) <= most;
  return (
    typeof name === 'string' &&
    accountName.test(name) &&
    (role === 'viewer' || role === 'operator') &&
    whole(n, 2 ** 20) &&
    whole(r, 32) &&
    whole(p, 16) &&
    [salt, hash, stamp].every((text) => typeof text === 'string' && text.length >= 8)
  );
}

function damaged(
  file: string,
  what: string,
  hint = 'Bring it back from your copy, or make the accounts again.',
): DeepcodError {
  return new DeepcodError('accounts_damaged', `${file} ${what}`, hint, ExitCode.usage);
}
