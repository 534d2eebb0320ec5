import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BasicConstraints, id_ce_basicConstraints, id_ce_keyUsage, KeyUsage, KeyUsageFlags } from '@peculiar/asn1-x509';
import { DeepcodError, ExitCode } from '../errors.js';
import { extension, keyIdentifier, signedCertificate } from './certificate.js';
import { type CertificateRequest, requestExtensions } from './request.js';
import { writeOnce } from './write-once.js';

const CURVE = 'prime256v1';
const DAY_MS = 86_400_000;
const CA_DAYS = 20 * 365;
/** A device that was forgotten in a box must still connect: nothing renews certificates behind our back. */
const DEFAULT_DAYS = 10 * 365;
/** A Pi has no clock of its own, and is often a little behind until it has found the time. */
const BACKDATED_MS = DAY_MS;

/** The authority of one site: what it signed, the site's brokers, edges and devices trust. */
export interface SiteCa {
  /** PEM; goes to every machine of the site. */
  readonly certificate: string;
  /**
   * A new key (ECDSA P-256) and a certificate for it; nothing is written.
   * @returns PEM, the certificate without the authority's; the key as PKCS #8, without a password
   * @throws DeepcodError `certificate_request`
   */
  issue(request: CertificateRequest): Promise<{ certificate: string; key: string }>;
}

/**
 * The authority in a folder, `ca.crt` and `ca.key`; made (P-256, 20 years) where the folder has neither. A key without a
 * certificate, left by a power loss, gets one: names and key are the same, so what was signed before stays good.
 * @throws DeepcodError `site_ca_damaged`, `site_ca_open` (others can read the key)
 */
export async function openSiteCa(folder: string): Promise<SiteCa> {
  const files = { certificate: join(folder, 'ca.crt'), key: join(folder, 'ca.key') };
  let keyText = await readIfThere(files.key);
  if (keyText === undefined) {
    if ((await readIfThere(files.certificate)) !== undefined) {
      throw damaged(files.key, 'is missing, though its certificate is there');
    }
    await writeOnce(files.key, pem(newKey()), 0o600);
    keyText = await readFile(files.key, 'utf8');
  }
  const privateKey = await readKey(files.key, keyText);
  const publicKey = createPublicKey(privateKey);
  // The same again from the same key, and another at another site.
  const name = `deepcod site ${Buffer.from(keyIdentifier(publicKey)).toString('hex', 0, 4)}`;
  const issuer = { name, publicKey, privateKey };
  let certificate = await readIfThere(files.certificate);
  if (certificate === undefined) {
    await writeOnce(files.certificate, selfSigned(issuer), 0o644);
    certificate = await readFile(files.certificate, 'utf8');
  }
  const own = readCertificate(files.certificate, certificate, issuer);
  const [start, end] = [Date.parse(own.validFrom), Date.parse(own.validTo)];
  return {
    certificate,
    async issue(request) {
      const extensions = requestExtensions(request);
      const key = newKey();
      const now = Date.now();
      const issued = signedCertificate({
        subject: { name: request.name, publicKey: createPublicKey(key) },
        issuer,
        validity: {
          notBefore: new Date(Math.max(now - BACKDATED_MS, start)),
          notAfter: new Date(Math.min(now + (request.days ?? DEFAULT_DAYS) * DAY_MS, end)),
        },
        extensions,
      });
      return { certificate: issued, key: pem(key) };
    },
  };
}

type Issuer = { name: string; publicKey: KeyObject; privateKey: KeyObject };

function selfSigned(issuer: Issuer): string {
  const now = Date.now();
  return signedCertificate({
    subject: issuer,
    issuer,
    validity: { notBefore: new Date(now - BACKDATED_MS), notAfter: new Date(now + CA_DAYS * DAY_MS) },
    extensions: [
      extension(id_ce_basicConstraints, new BasicConstraints({ cA: true, pathLenConstraint: 0 }), true),
      extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign), true),
    ],
  });
}

const newKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: CURVE }).privateKey;

const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }) as string;

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw damaged(file, `cannot be read: ${(error as Error).message}`);
  }
}

/** @throws DeepcodError `site_ca_open`, `site_ca_damaged` */
async function readKey(file: string, text: string): Promise<KeyObject> {
  if (((await stat(file)).mode & 0o077) !== 0) {
    throw new DeepcodError(
      'site_ca_open',
      `${file}: others than its owner can read it`,
      `Whoever has it can pose as any device. If nobody else has seen it: chmod 600 ${file}`,
      ExitCode.usage,
    );
  }
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch (error) {
    throw damaged(file, `holds no usable key: ${(error as Error).message}`);
  }
  if (key.asymmetricKeyDetails?.namedCurve !== CURVE) {
    throw damaged(file, `holds no usable key: ${key.asymmetricKeyType}, not ECDSA P-256`);
  }
  return key;
}

/** @throws DeepcodError `site_ca_damaged` */
function readCertificate(file: string, text: string, { name, privateKey, publicKey }: Issuer): X509Certificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(text);
  } catch (error) {
    throw damaged(file, `holds no certificate: ${(error as Error).message}`);
  }
  if (!certificate.checkPrivateKey(privateKey)) throw damaged(file, 'does not belong to ca.key beside it');
  if (!certificate.ca || certificate.subject !== `CN=${name}` || !certificate.verify(publicKey)) {
    throw damaged(file, 'is not the certificate of a site that this program made');
  }
  if (Date.parse(certificate.validTo) < Date.now()) throw damaged(file, `expired on ${certificate.validTo}`);
  return certificate;
}

function damaged(file: string, what: string): DeepcodError {
  return new DeepcodError(
    'site_ca_damaged',
    `${file} ${what}`,
    'Bring both files, ca.crt and ca.key, back from your copy of them. Without one, make a new site in another folder and ' +
      'provision every device again.',
    ExitCode.usage,
  );
}
