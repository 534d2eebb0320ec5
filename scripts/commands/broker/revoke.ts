import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DeepcodError, ExitCode } from '../../../platform/errors.js';
import { usageError } from '../../../platform/main.js';
import { plainSerial } from '../../../platform/pki.js';

/**
 * The serial number of what is to be revoked.
 * @param what a certificate's file, or its serial number as the broker's log shows it
 * @param authority the site's certificate (PEM)
 * @throws DeepcodError `usage`, `not_of_this_site`
 */
export function serialOf(what: string, authority: string): string {
  if (/^[0-9A-Fa-f:]{8,64}$/.test(what)) return plainSerial(what);
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(readFileSync(what));
  } catch (error) {
    throw usageError(`${what}: neither a serial number nor a certificate (${(error as Error).message})`);
  }
  if (!certificate.verify(new X509Certificate(authority).publicKey)) {
    const text = `${what} was not signed by this site's authority`;
    throw new DeepcodError('not_of_this_site', text, 'Name the folder of its own site with --site.', ExitCode.usage);
  }
  return plainSerial(certificate.serialNumber);
}
