/** What the embedded broker did and refused since its start. */
export interface BrokerCounters {
  /** Connections that are open now. */
  connections: number;
  messages: number;
  bytes: number;
  /** Connections refused: too many in all, or of one address. */
  too_many: number;
  /** TLS handshakes that failed: no certificate, another authority's, expired, no TLS at all. */
  handshakes_failed: number;
  /** Certificates that the authority took back. */
  revoked: number;
  /** Logins refused: a name that is not the certificate's, a last will on someone else's topic, someone locked out. */
  logins_refused: number;
  /** Packets that announced more than the largest frame. */
  too_large: number;
  forbidden_publish: number;
  forbidden_subscribe: number;
  /** Messages (QoS 0) dropped, and messages (QoS 1 and 2) held back, of clients that sent too many. */
  over_rate: number;
  held_back: number;
  /** Messages dropped because their receiver does not read. */
  slow_reader: number;
  /** Messages not kept: too many are kept already, or too large. */
  not_retained: number;
  /** Clients thrown out for what they did again and again. */
  locked_out: number;
}

export const noCounts = (): BrokerCounters => ({
  connections: 0,
  messages: 0,
  bytes: 0,
  too_many: 0,
  handshakes_failed: 0,
  revoked: 0,
  logins_refused: 0,
  too_large: 0,
  forbidden_publish: 0,
  forbidden_subscribe: 0,
  over_rate: 0,
  held_back: 0,
  slow_reader: 0,
  not_retained: 0,
  locked_out: 0,
});
