import * as x509 from '@peculiar/x509';
import { DeepcodError, ExitCode } from '../../platform/errors.js';

/** Serial numbers of certificates that their authority took back. */
export interface Revocations {
  readonly serials: ReadonlySet<string>;
  /** The authority promised a newer list by then. */
  readonly nextUpdate?: Date;
}

/**
 * Reads a revocation list. One that is older than its authority promised still counts: leaving every device out, or letting
 * the revoked in, would be worse; the caller says so.
 * @param list PEM or DER @param authority PEM, one certificate or more
 * @throws DeepcodError `broker_crl` when it is damaged, or signed by none of these
 */
export async function readRevocations(file: string, list: Buffer, authority: string): Promise<Revocations> {
  let crl: x509.X509Crl;
  try {
    crl = new x509.X509Crl(list.toString('latin1').includes('-----BEGIN') ? list.toString('utf8') : list);
  } catch (error) {
    throw wrong(file, `holds no revocation list: ${(error as Error).message}`);
  }
  const authorities = x509.PemConverter.decode(authority).map((raw) => new x509.X509Certificate(raw));
  const signed = await Promise.all(authorities.map((certificate) => crl.verify({ publicKey: certificate })));
  if (!signed.includes(true)) throw wrong(file, 'is not signed by the authority in broker.tls.ca');
  return { serials: new Set(crl.entries.map((entry) => plainSerial(entry.serialNumber))), nextUpdate: crl.nextUpdate };
}

/** Hexadecimal, as everybody writes it differently: lower case, without zeros in front. */
export function plainSerial(serial: string): string {
  return serial.toLowerCase().replace(/^0+/, '');
}

function wrong(file: string, what: string): DeepcodError {
  return new DeepcodError(
    'broker_crl',
    `${file} ${what}`,
    "Make it with 'deepcod broker revoke', or leave broker.tls.crl out.",
    ExitCode.usage,
  );
}
