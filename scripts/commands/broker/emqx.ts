import { join } from 'node:path';
import { defaultLimits, INTEGRATION_SUBSCRIPTIONS } from '../../../edge/broker/config.js';
import { FRAME_MAX_BYTES } from '../../../protocol/frame.js';
import { emqxAccess, type Members } from './access.js';
import type { Place } from './place.js';

/** Files for EMQX 5.9 or newer, by name. */
export function emqxFiles(members: Members, { folder, port }: Place): Record<string, string> {
  const file = (name: string): string => join(folder, name);
  const { connections, messages_per_s, megabytes_per_s, retained } = defaultLimits;
  const subscriptions = members.integrations.length > 0 ? INTEGRATION_SUBSCRIPTIONS : defaultLimits.subscriptions;
  return {
    'emqx.conf': `## EMQX 5.9 or newer, for a site of DeepCOD: append it to etc/emqx.conf. Written by: deepcod broker emqx

## Every other way in is closed.
listeners.tcp.default.enable = false
listeners.ws.default.enable = false
listeners.wss.default.enable = false

## TLS 1.3 with a certificate that this site's authority signed.
listeners.ssl.default {
  enable = true
  bind = "0.0.0.0:${port}"
  max_connections = ${connections}
  max_conn_rate = "500/s"
  ## Of each client; over it, EMQX reads nothing more from it for a while.
  messages_rate = "${messages_per_s}/s"
  bytes_rate = "${megabytes_per_s}MB/s"
  ssl_options {
    cacertfile = "${file('ca.crt')}"
    certfile = "${file('server.crt')}"
    keyfile = "${file('server.key')}"
    verify = verify_peer
    fail_if_no_peer_cert = true
    depth = 1
    versions = ["tlsv1.3"]
    ## A session that is taken up again would not be asked for its certificate.
    reuse_sessions = false
    handshake_timeout = 10s
  }
}

mqtt {
  ## Who connects is the certificate's common name; what it calls itself does not matter.
  peer_cert_as_username = cn
  ## Client ids of each certificate are its own: nobody takes over another's connection.
  clientid_override = "concat([username, '/', clientid])"
  idle_timeout = 10s
  max_packet_size = ${FRAME_MAX_BYTES + 4096}
  max_clientid_len = 256
  max_topic_levels = 16
  max_subscriptions = ${subscriptions}
  max_inflight = 20
  max_awaiting_rel = 20
  ## Frames are of no use later: only what is acknowledged waits for who is away.
  mqueue_store_qos0 = false
  max_mqueue_len = 1000
  session_expiry_interval = 1h
  ## First frames go to workers in turn; devices then send to theirs by name.
  shared_subscription_strategy = round_robin
}

retainer {
  enable = true
  max_payload_size = "256KB"
  backend {
    type = built_in_database
    storage_type = disc
    max_retained_messages = ${retained}
  }
}

## The certificate is the login: no password lists.
authentication = []

authorization {
  no_match = deny
  deny_action = ignore
  sources = [
    {
      type = file
      enable = true
      path = "${file('acl.conf')}"
    }
  ]
}

## Taken back certificates: EMQX fetches revocation lists only from an address inside the certificate, and ours hold none.
## Ban the name instead, for example: emqx ctl or POST /api/v5/banned {"as": "username", "who": "NAME"}.
`,
    'acl.conf': emqxAccess(members),
  };
}
