import { X509Certificate } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { usageError } from '../../../platform/main.js';
import type { CertificateRequest, Revoked, SiteCa } from '../../../platform/pki.js';
import { writeFiles } from './boot-folder.js';

/**
 * Puts a machine's certificate on the site's list of those not to be trusted any more, ca.crl, and its folder aside; its key
 * is deleted. Under its name a new one can be made.
 * @returns the serial number
 * @throws DeepcodError `usage` where there is none
 */
export async function revoke(
  site: string,
  ca: SiteCa,
  kind: CertificateRequest['kind'],
  name: string,
): Promise<string> {
  const folder = join(site, `${kind}s`, name);
  const text = await readFile(join(folder, `${kind}.crt`), 'utf8').catch(() => {
    throw usageError(`${name}: ${folder} holds no certificate to revoke`);
  });
  const { serialNumber } = new X509Certificate(text);
  await mkdir(join(site, 'revoked'), { recursive: true, mode: 0o700 });
  const aside = join(site, 'revoked', `${name}-${serialNumber}`);
  await rename(folder, aside);
  await rm(join(aside, `${kind}.key`), { force: true });
  await writeRevocationList(site, ca);
  return serialNumber;
}

/** Writes ca.crl from what was put aside; brokers that are set up with it need it from the start, be it empty. */
export async function writeRevocationList(site: string, ca: SiteCa): Promise<void> {
  const folder = join(site, 'revoked');
  const revoked: Revoked[] = [];
  for (const entry of (await readdir(folder).catch(() => [])).sort()) {
    const since = (await stat(join(folder, entry))).mtime;
    revoked.push({ serial: entry.slice(entry.lastIndexOf('-') + 1), since });
  }
  await writeFiles(site, [{ path: 'ca.crl', content: ca.revocationList(revoked) }]);
}
