import { join } from 'node:path';
import { DEFAULT_DISCOVERY } from '../../../edge/broker/grants.js';
import type { Members } from './access.js';
import type { Place } from './place.js';

/** What to write into edge.yaml for the embedded broker. */
export function embeddedFiles(
  { operators, integrations, space }: Members,
  { folder, port }: Place,
): Record<string, string> {
  const file = (name: string): string => join(folder, name);
  return {
    'broker.yaml': `# For edge.yaml: the broker in the edge's process, with TLS and a certificate for each device.
# Written by: deepcod broker embedded
broker:
  embedded: true
  host: 0.0.0.0
  port: ${port}
  tls:
    certificate: ${file('server.crt')}
    key: ${file('server.key')}
    ca: ${file('ca.crt')}
    # Certificates that were taken back: 'deepcod broker revoke' adds to it; read again when it changes.
    crl: ${file('ca.crl')}
  # Certificates that may read everything and send commands.
  operators: [${operators.join(', ')}]
  # Those of Home Assistant and its like.
  integrations: [${integrations.join(', ')}]
${space.discovery === DEFAULT_DISCOVERY ? '' : `home_assistant:\n  prefix: ${space.discovery}\n`}`,
  };
}
