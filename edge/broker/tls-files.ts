import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { readSecretBytes } from '../../platform/config.js';
import { DeepcodError, ExitCode } from '../../platform/errors.js';
import type { Log } from '../../platform/log.js';
import { type Revocations, readRevocationList } from '../../platform/pki.js';
import { tlsProtocol, watchFiles } from '../tls.js';
import type { BrokerTls } from './config.js';

const SOON_MS = 30 * 86_400_000;

/** What the files hold, checked. */
export interface TlsMaterial {
  context: SecureContextOptions;
  /** Serial numbers of certificates that the authority took back. */
  revoked: Revocations['revoked'];
}

/**
 * Reads the certificate, the key, the authority and the revocation list.
 * @throws DeepcodError `secret_unreadable`, `broker_tls`, `broker_crl` (exit code 2)
 */
export function readTls({ certificate, key, ca, crl }: BrokerTls, log: Log): TlsMaterial {
  const context: SecureContextOptions = {
    cert: readSecretBytes(certificate, "the broker's certificate (broker.tls.certificate)"),
    key: readSecretBytes(key, "the broker's key (broker.tls.key)"),
    ca: readSecretBytes(ca, 'the authority (broker.tls.ca)'),
    ...tlsProtocol,
  };
  let own: X509Certificate;
  try {
    own = new X509Certificate(context.cert as Buffer);
    createSecureContext(context);
  } catch (error) {
    throw unusable(`broker.tls cannot be used: ${(error as Error).message}`);
  }
  const ends = Date.parse(own.validTo);
  if (ends < Date.now()) throw unusable(`${certificate} expired on ${new Date(ends).toISOString()}`);
  if (ends < Date.now() + SOON_MS) {
    log.warn(`${certificate} expires on ${new Date(ends).toISOString()}`, { hint: 'Devices will not connect then.' });
  }
  if (crl === undefined) return { context, revoked: new Map() };
  const list = readSecretBytes(crl, 'the revocation list (broker.tls.crl)');
  let revocations: Revocations;
  try {
    revocations = readRevocationList(list.toString('utf8'), (context.ca as Buffer).toString('utf8'));
  } catch (error) {
    const hint = "Make it with 'deepcod broker revoke', or leave broker.tls.crl out.";
    throw new DeepcodError('broker_crl', `${crl} ${(error as Error).message}`, hint, ExitCode.usage);
  }
  if (revocations.nextUpdate && revocations.nextUpdate.getTime() < Date.now()) {
    log.warn(`${crl} should have been replaced by ${revocations.nextUpdate.toISOString()}; it still counts`);
  }
  return { context, revoked: revocations.revoked };
}

/**
 * Reads the files again when one changes. Files that cannot be used leave things as they are, and are told of.
 * @returns ends looking
 */
export function watchTls(tls: BrokerTls, log: Log, changed: (material: TlsMaterial) => void): () => void {
  const files = Object.values(tls).filter((file): file is string => file !== undefined);
  return watchFiles(files, () => {
    try {
      const material = readTls(tls, log);
      log.info('certificates and revocations read again', { revoked: material.revoked.size });
      changed(material);
    } catch (error) {
      log.error('certificates stay as they were: the new ones cannot be used', { error });
    }
  });
}

function unusable(what: string): DeepcodError {
  return new DeepcodError(
    'broker_tls',
    what,
    'docs/security.md shows how a broker gets its certificate.',
    ExitCode.usage,
  );
}
