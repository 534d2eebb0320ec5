import type { TLSSocket } from 'node:tls';
import { isDeviceName } from '../../protocol/topics.js';
import type { NamedClients } from './config.js';
import type { Role } from './grants.js';

/** Who a connection is, by its certificate. */
export interface Identity {
  name: string;
  role: Role;
  serial: string;
}

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/**
 * Reads the certificate that TLS has checked already. The common name is the name; who may both call and be called
 * (`SiteCa.issue` of kind `worker`) is a worker.
 * @param named common names of those who are more than devices
 * @returns undefined for a certificate that names nobody who could be a client here
 */
export function identify(socket: TLSSocket, named: NamedClients): Identity | undefined {
  const { subject, ext_key_usage: usages } = socket.getPeerCertificate();
  const certificate = socket.getPeerX509Certificate();
  const name: unknown = subject?.CN;
  // Several common names come as a list: then none of them counts.
  if (!certificate || typeof name !== 'string' || !isDeviceName(name)) return undefined;
  if (!usages?.includes(CLIENT_AUTH)) return undefined;
  const role = usages.includes(SERVER_AUTH) ? 'worker' : roleOf(name, named);
  return { name, role, serial: certificate.serialNumber };
}

function roleOf(name: string, { operators, integrations }: NamedClients): Role {
  if (operators.includes(name)) return 'operator';
  return integrations.includes(name) ? 'integration' : 'device';
}
