import { join } from 'node:path';
import { defaultLimits } from '../../../edge/broker/config.js';
import { FRAME_MAX_BYTES } from '../../../protocol/frame.js';
import { type Members, mosquittoAccess } from './access.js';
import type { Place } from './place.js';

/** Files for mosquitto 2.0 or newer, by name. */
export function mosquittoFiles(members: Members, { folder, port }: Place): Record<string, string> {
  const file = (name: string): string => join(folder, name);
  return {
    'mosquitto.conf': `# mosquitto 2.0 or newer, for a site of DeepCOD. Written by: deepcod broker mosquitto
#
#   mosquitto -c ${file('mosquitto.conf')}
#
# The one way in: TLS 1.3 with a certificate that this site's authority signed. Who connects is the certificate's common
# name; no passwords, nobody unnamed.
listener ${port}
cafile ${file('ca.crt')}
certfile ${file('server.crt')}
keyfile ${file('server.key')}
tls_version tlsv1.3
require_certificate true
use_identity_as_username true
allow_anonymous false
acl_file ${file('acl')}

# Certificates that were taken back: 'deepcod broker revoke' adds to it. It is read at the start: restart mosquitto then.
crlfile ${file('ca.crl')}

# A device that was broken into could use another's client id and end its connection with that. This line stops it, and
# allows one connection for each certificate: 'deepcod doctor' on a device then interrupts its agent.
#use_username_as_clientid true

# Limits. A frame is at most ${FRAME_MAX_BYTES / 2 ** 20} MB. mosquitto has no limit of messages a second: docs/security.md says what that means.
max_connections ${defaultLimits.connections}
max_packet_size ${FRAME_MAX_BYTES + 4096}
message_size_limit ${FRAME_MAX_BYTES}
max_inflight_messages 20
max_queued_messages 1000
max_queued_bytes ${16 * 2 ** 20}
max_keepalive 3600
# Frames are of no use later: only what is acknowledged waits for who is away.
queue_qos0_messages false
persistent_client_expiration 1d

# Retained states survive a restart. The folder belongs to the user that mosquitto runs as.
persistence true
persistence_location /var/lib/mosquitto/
autosave_interval 300

# Who came and went, and what went wrong; to standard error, which the journal keeps.
log_dest stderr
log_type error
log_type warning
log_type notice
connection_messages true
`,
    acl: mosquittoAccess(members),
  };
}
