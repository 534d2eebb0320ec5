/** What went wrong on the way to a broker, in words, and what to do about it where that is known. */
export interface Reason {
  text: string;
  hint?: string;
  /** The broker speaks only an older version of MQTT. */
  versionRefused?: boolean;
}

const network: Record<string, Reason> = {
  ECONNREFUSED: { text: 'connection refused', hint: 'Is the broker running, and is the port right?' },
  ENOTFOUND: { text: 'host name not found', hint: 'Check the name in broker.url and the DNS.' },
  EAI_AGAIN: { text: 'host name not found (no answer from DNS)', hint: 'Is the network up?' },
  ETIMEDOUT: { text: 'no answer', hint: 'Check address, routing and firewall.' },
  EHOSTUNREACH: { text: 'host unreachable', hint: 'Check address and routing.' },
  ENETUNREACH: { text: 'network unreachable', hint: 'Is the network up?' },
  ECONNRESET: { text: 'connection reset', hint: 'Does the port speak MQTT, and with or without TLS as configured?' },
  DEPTH_ZERO_SELF_SIGNED_CERT: { text: 'certificate not trusted', hint: 'Set broker.ca_file to its authority.' },
  SELF_SIGNED_CERT_IN_CHAIN: { text: 'certificate not trusted', hint: 'Set broker.ca_file to its authority.' },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: { text: 'certificate not trusted', hint: 'Set broker.ca_file to its authority.' },
  CERT_HAS_EXPIRED: { text: 'certificate expired', hint: "Renew the broker's certificate, or set this clock." },
  ERR_TLS_CERT_ALTNAME_INVALID: { text: 'certificate is for another host name', hint: 'Use the name it was made for.' },
};

/** CONNACK codes of MQTT 3.1.1 (1..5) and 5 (128..). */
const refused: Record<number, Reason> = {
  1: { text: 'protocol version refused', versionRefused: true },
  2: { text: 'client name refused' },
  3: { text: 'broker not available' },
  4: { text: 'bad user name or password', hint: 'Check broker.username and broker.password_file.' },
  5: { text: 'not authorised', hint: 'Check broker.username, broker.password_file and the access list.' },
  132: { text: 'protocol version refused', versionRefused: true },
  133: { text: 'client name refused' },
  134: { text: 'bad user name or password', hint: 'Check broker.username and broker.password_file.' },
  135: { text: 'not authorised', hint: 'Check broker.username, broker.password_file and the access list.' },
  136: { text: 'broker not available' },
  137: { text: 'broker busy' },
  138: { text: 'banned' },
};

/** @param error what mqtt.js, Node or OpenSSL reported; undefined when the connection simply closed */
export function reasonOf(error: (Error & { code?: unknown; errors?: Error[] }) | undefined): Reason {
  if (!error) return { text: 'connection closed by the broker' };
  const code = error.code ?? (error.errors?.[0] as { code?: unknown } | undefined)?.code;
  if (typeof code === 'number' && refused[code]) return refused[code];
  if (typeof code === 'string' && network[code]) return network[code];
  if (/connack timeout/.test(error.message)) return { text: 'no answer to CONNECT', hint: 'Does the port speak MQTT?' };
  if (/Keepalive timeout/i.test(error.message)) return { text: 'the broker fell silent' };
  return { text: error.message || 'unknown error' };
}
