import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { defineCheck } from '../check.js';
import { within } from '../within.js';

const DAY_MS = 24 * 3600 * 1000;
const SOON_DAYS = 30;
/** With TLS 1.3 a server says after the handshake what it has against our certificate: so long is listened, ms. */
const VERDICT_MS = 400;

const UNTRUSTED = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
];

export const tlsCheck = defineCheck({
  name: 'tls',
  title: 'broker: TLS',
  group: 'network',
  timeoutMs: 8000,
  needs: ['config', 'broker', 'tcpMs'],
  gives: ['secure'],
  findings: {
    tls_ok: {
      status: 'pass',
      means: 'The broker’s certificate is trusted, valid, and made for its name; ours is taken.',
    },
    tls_none: {
      status: 'pass',
      means: 'The address asks for no TLS (mqtt:// or ws://): what is sent can be read on the way.',
    },
    tls_wrong_ca: {
      status: 'failure',
      symptom: 'silent',
      means:
        'The broker’s certificate was not signed by the authority that this device trusts (broker.ca_file, else the system’s): another site’s, or somebody stands in between.',
      todo: 'Copy the site’s ca.crt to the device and name it in broker.ca_file. Compare: `openssl s_client -connect {host}:{port} -showcerts </dev/null | openssl x509 -noout -issuer`.',
    },
    tls_expired: {
      status: 'failure',
      symptom: 'silent',
      means: 'The broker’s certificate has expired.',
      todo: 'Make a new one at the edge and restart the broker; if the date shown by `date` is wrong, set the clock.',
    },
    tls_not_yet_valid: {
      status: 'failure',
      symptom: 'silent',
      means:
        'The broker’s certificate is valid from a later time than this clock shows: almost always the clock is wrong.',
      todo: '`timedatectl`, `sudo timedatectl set-ntp true`.',
    },
    tls_wrong_name: {
      status: 'failure',
      symptom: 'silent',
      means: 'The broker’s certificate is made for other names than the one in broker.url.',
      todo: 'Use one of its names in broker.url, or make a certificate for {host}.',
    },
    tls_not_spoken: {
      status: 'failure',
      symptom: 'silent',
      means: 'The port takes connections, but does not speak TLS: it answers in the clear, or closes the connection.',
      todo: 'Is it the port without TLS? Use mqtt:// for it, or the TLS port (8883) with mqtts://.',
    },
    client_certificate_missing: {
      status: 'failure',
      symptom: 'silent',
      means: 'The broker wants a certificate from this device, and the configuration names none.',
      todo: 'Set broker.cert_file and broker.key_file to the device’s files (`deepcod provision NAME` makes them).',
    },
    client_certificate_refused: {
      status: 'failure',
      symptom: 'silent',
      means: 'The broker does not take this device’s certificate: signed by another authority, expired, or revoked.',
      todo: 'Look at it: `openssl x509 -in {cert} -noout -subject -issuer -dates`; make it again with the site’s authority: `deepcod provision NAME`.',
    },
    client_certificate_expired: {
      status: 'failure',
      symptom: 'silent',
      means: 'This device’s own certificate has expired.',
      todo: 'Make a new one: `deepcod provision NAME`, and copy it to {cert}.',
    },
    certificate_ends_soon: {
      status: 'warning',
      means: 'A certificate expires within 30 days; from then on nothing gets through.',
      todo: 'Renew it before: `deepcod provision NAME` for a device’s; at the edge for the broker’s.',
    },
    tls_failed: {
      status: 'failure',
      symptom: 'silent',
      means: 'The two sides did not agree on a TLS connection.',
      todo: '`openssl s_client -connect {host}:{port} </dev/null` shows what the broker offers.',
    },
  },
  async run({ env, known, tell, signal }) {
    const { config, broker } = known as Required<typeof known>;
    const { host, port, tls } = broker;
    const { ca_file, cert_file, key_file } = config.broker;
    if (!tls) {
      known.secure = true;
      return tell('tls_none', `${config.broker.url} is not encrypted`);
    }
    const values = { host, port, cert: cert_file };
    const own = cert_file === undefined ? undefined : new X509Certificate(readFileSync(cert_file));
    if (own && Date.parse(own.validTo) < env.now()) {
      return tell('client_certificate_expired', `${cert_file}: expired ${own.validTo}`, values);
    }
    const files = {
      ca: ca_file && readFileSync(ca_file),
      cert: own && readFileSync(cert_file as string),
      key: key_file && readFileSync(key_file),
    };
    const { socket, error } = await handshake(host, port, files, signal);
    try {
      if (error || !socket) {
        const id = refusal(error, own !== undefined);
        return tell(id, `${host} port ${port}: ${told(error)}`, values);
      }
      const certificate = socket.getPeerX509Certificate();
      const problem = String(socket.authorizationError ?? '');
      const about = certificate ? `${certificate.subject.replaceAll('\n', ', ')}` : 'no certificate';
      if (!socket.authorized) {
        if (problem === 'CERT_HAS_EXPIRED')
          return tell('tls_expired', `${about}: expired ${certificate?.validTo}`, values);
        if (problem === 'CERT_NOT_YET_VALID')
          return tell('tls_not_yet_valid', `${about}: valid from ${certificate?.validFrom}`, values);
        if (UNTRUSTED.includes(problem)) {
          return tell(
            'tls_wrong_ca',
            `${about}, signed by ${certificate?.issuer.replaceAll('\n', ', ')}: not trusted (${problem})`,
            values,
          );
        }
        if (problem === 'ERR_TLS_CERT_ALTNAME_INVALID' || /does not match/.test(problem)) {
          return tell('tls_wrong_name', `made for ${certificate?.subjectAltName ?? about}, not for ${host}`, values);
        }
        return tell('tls_failed', `${about}: ${problem}`, values);
      }
      const verdict = await within(failure(socket), VERDICT_MS, signal);
      if (verdict) return tell(refusal(verdict, own !== undefined), `${host} port ${port}: ${told(verdict)}`, values);
      known.secure = true;
      const ends = [certificate, own].flatMap((one) => (one ? [Date.parse(one.validTo)] : []));
      const days = Math.floor((Math.min(...ends) - env.now()) / DAY_MS);
      if (days < SOON_DAYS) tell('certificate_ends_soon', `a certificate ends in ${days} days`, { ...values, days });
      else tell('tls_ok', `${socket.getProtocol()}, ${about}, ${days} days left`, { host, port, days });
    } finally {
      socket?.destroy();
    }
  },
});

type Problem = Error & { code?: string };

function handshake(
  host: string,
  port: number,
  files: object,
  signal: AbortSignal,
): Promise<{ socket?: TLSSocket; error?: Problem }> {
  return new Promise((resolve) => {
    const servername = isIP(host) ? undefined : host;
    // Judged here: what is wrong with a certificate is to be said, not only that something is.
    const socket = connect({ host, port, servername, rejectUnauthorized: false, ...files });
    signal.addEventListener('abort', () => socket.destroy(signal.reason as Error), { once: true });
    socket.once('secureConnect', () => resolve({ socket }));
    socket.once('error', (error) => resolve({ error }));
    socket.once('close', () => resolve({ error: new Error('closed during the handshake') }));
  });
}

/** What the broker sends when it does not want this connection; undefined when it simply closes. */
function failure(socket: TLSSocket): Promise<Problem> {
  return new Promise((resolve) => {
    socket.once('error', resolve);
    socket.once('close', () => resolve(new Error('closed by the broker after the handshake')));
    socket.resume();
  });
}

const told = (error: Problem | undefined): string =>
  error?.message.split('\n')[0].replace(/^[0-9A-F]+:error:/, '') ?? 'no answer';

/** @param has whether we showed a certificate */
function refusal(error: Problem | undefined, has: boolean) {
  const text = `${error?.code ?? ''} ${error?.message ?? ''}`;
  if (/certificate[ _]required/i.test(text)) return 'client_certificate_missing';
  if (/alert/i.test(text) && /certificate|unknown[ _]ca/i.test(text)) return 'client_certificate_refused';
  if (/alert handshake failure|HANDSHAKE_FAILURE/i.test(text))
    return has ? 'client_certificate_refused' : 'client_certificate_missing';
  if (/wrong version number|packet length too long|WRONG_VERSION|disconnected before secure|closed during/i.test(text))
    return 'tls_not_spoken';
  return 'tls_failed';
}
