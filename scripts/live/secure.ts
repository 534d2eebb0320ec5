import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newStamp, writeAccounts } from '../../edge/web/auth/accounts.js';
import { hashPassword } from '../../edge/web/auth/password.js';
import { openSiteCa } from '../../platform/pki.js';

/** An account of the page. */
export interface Login {
  name: string;
  role: 'viewer' | 'operator';
  password: string;
}

/** What `--secure` adds to the configurations, and who may log in. */
export interface SecureSite {
  broker: object;
  web: object;
  logins: Login[];
  /** How a device reaches the broker: with a certificate of its own. */
  device(name: string): { ca_file: string; cert_file: string; key_file: string };
}

/**
 * A site of its own in a folder, as `deepcod provision`, `broker` and `account` would make it: an authority, certificates for
 * the broker, the page and every device, accounts with passwords made up now.
 */
export async function makeSite(folder: string, devices: readonly string[]): Promise<SecureSite> {
  const ca = await openSiteCa(folder);
  const file = (name: string): string => join(folder, name);
  const server = await ca.issue({ name: 'localhost', kind: 'server', hosts: ['localhost', '127.0.0.1'] });
  const tls = { certificate: file('server.crt'), key: file('server.key') };
  await writeFile(tls.certificate, server.certificate);
  await writeFile(tls.key, server.key, { mode: 0o600 });
  for (const name of devices) {
    const { certificate, key } = await ca.issue({ name, kind: 'device' });
    await mkdir(file('devices'), { recursive: true });
    await writeFile(file(`devices/${name}.crt`), certificate);
    await writeFile(file(`devices/${name}.key`), key, { mode: 0o600 });
  }
  const logins: Login[] = (['operator', 'viewer'] as const).map((role) => ({
    name: role,
    role,
    password: randomBytes(12).toString('base64url'),
  }));
  const accounts = logins.map(async ({ name, role, password }) => ({
    name,
    role,
    password: await hashPassword(password),
    stamp: newStamp(),
  }));
  await writeAccounts(file('accounts.json'), await Promise.all(accounts));
  return {
    broker: { tls: { ...tls, ca: file('ca.crt') } },
    web: { tls, accounts: file('accounts.json') },
    logins,
    device: (name) => ({
      ca_file: file('ca.crt'),
      cert_file: file(`devices/${name}.crt`),
      key_file: file(`devices/${name}.key`),
    }),
  };
}
