import { isIP } from 'node:net';
import {
  BasicConstraints,
  ExtendedKeyUsage,
  type Extension,
  GeneralName,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_kp_clientAuth,
  id_kp_serverAuth,
  KeyUsage,
  KeyUsageFlags,
  SubjectAlternativeName,
} from '@peculiar/asn1-x509';
import { DeepcodError, ExitCode } from '../errors.js';
import { extension } from './certificate.js';

/** What a certificate is wanted for. */
export interface CertificateRequest {
  /** The subject's common name, which brokers take as the user: 1 to 64 of A-Z a-z 0-9 . _ - */
  name: string;
  /** `device`: it calls. `server`: it is called. `worker`: an edge, which does both. */
  kind: 'device' | 'server' | 'worker';
  /** Host names and addresses it is called by; default: a server's and a worker's name. */
  hosts?: string[];
  /** Valid for so many days, 1 to 7300; default: 3650. Never longer than the authority. */
  days?: number;
}

const usages = {
  device: [id_kp_clientAuth],
  server: [id_kp_serverAuth],
  worker: [id_kp_serverAuth, id_kp_clientAuth],
};

const hostName = /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})?)*$/;

/**
 * What the certificate says besides names, keys and dates.
 * @throws DeepcodError `certificate_request`
 */
export function requestExtensions({ name, kind, hosts, days }: CertificateRequest): Extension[] {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(name)) throw wrong(`name "${name}": 1 to 64 of A-Z a-z 0-9 . _ -`);
  if (!Object.hasOwn(usages, kind)) throw wrong(`kind "${kind}": allowed: ${Object.keys(usages).join(', ')}`);
  if (days !== undefined && !(days >= 1 && days <= 7300)) throw wrong(`days ${days}: from 1 to 7300`);
  const names = (hosts ?? (kind === 'device' ? [] : [name])).map((host) => {
    if (isIP(host)) return new GeneralName({ iPAddress: host });
    if (!hostName.test(host)) throw wrong(`host "${host}": neither a host name nor an address`);
    return new GeneralName({ dNSName: host });
  });
  return [
    extension(id_ce_basicConstraints, new BasicConstraints(), true),
    extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.digitalSignature), true),
    extension(id_ce_extKeyUsage, new ExtendedKeyUsage(usages[kind])),
    ...(names.length > 0 ? [extension(id_ce_subjectAltName, new SubjectAlternativeName(names))] : []),
  ];
}

function wrong(what: string): DeepcodError {
  return new DeepcodError('certificate_request', `no certificate can be made: ${what}`, undefined, ExitCode.usage);
}
