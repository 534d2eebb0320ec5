import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DeepcodError, ExitCode } from '../../../platform/errors.js';
import { syncFolder } from '../../../platform/files/replace.js';
import { usageError } from '../../../platform/main.js';
import { type CertificateRequest, type SiteCa, writeOnce } from '../../../platform/pki.js';

/** Who a machine of the site is. */
export interface Identity {
  name: string;
  /** Where key and certificate lie. */
  folder: string;
  /** PEM. */
  certificate: string;
  key: string;
  /** Hexadecimal, as OpenSSL shows them. */
  serial: string;
  /** SHA-256, with colons. */
  fingerprint: string;
  /** ISO 8601. */
  issued: string;
  expires: string;
  /** It was made now. */
  made: boolean;
}

/**
 * A machine's key and certificate, from the site's folder, or made there. Both appear at once or not at all, and are never
 * replaced.
 * @param site the folder with ca.crt
 * @throws DeepcodError `identity_damaged`, and what {@link SiteCa.issue} throws
 */
export async function identityOf(site: string, ca: SiteCa, request: CertificateRequest): Promise<Identity> {
  const { name, kind } = request;
  const folder = join(site, `${kind}s`, name);
  const found = await readIdentity(folder, request, ca);
  if (found) return found;
  const { certificate, key } = await ca.issue(request);
  await mkdir(join(site, `${kind}s`), { recursive: true, mode: 0o700 });
  const part = await mkdtemp(join(site, `${kind}s`, '.part-'));
  try {
    await writeOnce(join(part, `${kind}.key`), key, 0o600);
    await writeOnce(join(part, `${kind}.crt`), certificate, 0o644);
    await rename(part, folder);
    syncFolder(join(site, `${kind}s`));
  } catch (error) {
    await rm(part, { recursive: true });
    // Another process was faster: what it made is as good.
    if (!['ENOTEMPTY', 'EEXIST'].includes(String((error as NodeJS.ErrnoException).code))) throw error;
  }
  const made = await readIdentity(folder, request, ca);
  if (!made) throw damaged(folder, 'went away while it was made');
  return { ...made, made: true };
}

/**
 * Puts a device's certificate aside, so that a new one is made under its name. The old key is deleted.
 * @throws DeepcodError `usage` where there is none
 */
export async function putAside(site: string, name: string): Promise<void> {
  const folder = join(site, 'devices', name);
  const text = await readIfThere(join(folder, 'device.crt'));
  if (text === undefined) throw usageError(`--renew: ${folder} holds no certificate`);
  await mkdir(join(site, 'replaced'), { recursive: true, mode: 0o700 });
  const aside = join(site, 'replaced', `${name}-${new X509Certificate(text).serialNumber}`);
  await rename(folder, aside);
  await rm(join(aside, 'device.key'), { force: true });
}

async function readIdentity(
  folder: string,
  { name, kind }: CertificateRequest,
  ca: SiteCa,
): Promise<Identity | undefined> {
  const [certificate, key] = await Promise.all([
    readIfThere(join(folder, `${kind}.crt`)),
    readIfThere(join(folder, `${kind}.key`)),
  ]);
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined || key === undefined) throw damaged(folder, 'holds only one of key and certificate');
  try {
    const parsed = new X509Certificate(certificate);
    const authority = new X509Certificate(ca.certificate);
    if (!parsed.checkPrivateKey(createPrivateKey(key))) throw new Error('key and certificate do not belong together');
    if (!parsed.verify(authority.publicKey)) throw new Error('another authority signed it');
    if (parsed.subject !== `CN=${name}`) throw new Error(`it is that of ${parsed.subject}`);
    if (Date.parse(parsed.validTo) < Date.now()) throw new Error(`it expired on ${parsed.validTo}`);
    return {
      ...{ name, folder, certificate, key, made: false },
      serial: parsed.serialNumber,
      fingerprint: parsed.fingerprint256,
      issued: new Date(parsed.validFrom).toISOString(),
      expires: new Date(parsed.validTo).toISOString(),
    };
  } catch (error) {
    throw damaged(folder, `holds no usable identity: ${(error as Error).message}`);
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function damaged(folder: string, what: string): DeepcodError {
  return new DeepcodError(
    'identity_damaged',
    `${folder} ${what}`,
    'Nothing was changed. Bring the folder back from a copy, or make a new one in its place with --renew',
    ExitCode.usage,
  );
}
