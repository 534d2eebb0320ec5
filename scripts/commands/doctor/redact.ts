import { X509Certificate } from 'node:crypto';
import { isMap, isScalar, parseDocument, visit } from 'yaml';

const GONE = '[removed]';

/** Keys whose values are secrets wherever they stand; names of files are none. */
const SECRET_KEY = /^(?!.*_file$).*(pass(word|phrase|wd)?|secret|token|psk|private|credential|api_?key|^key$)/i;

/**
 * Takes out of any text what must not leave the device: passwords in addresses, private keys, what follows password-like
 * words, Wi-Fi names, and values that are known to be secret.
 * @param known contents of secret files
 */
export function redactText(text: string, known: readonly string[] = []): string {
  let out = text;
  // The longest first: a secret may hold another.
  for (const secret of [...known].filter((one) => one.length >= 4).sort((a, b) => b.length - a.length)) {
    for (const form of new Set([secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')])) {
      out = out.replaceAll(form, GONE);
    }
  }
  return out
    .replaceAll(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, GONE)
    .replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@"']*:[^\s/@"']*@/gi, `$1${GONE}@`)
    .replaceAll(
      /\b((?:E?SSID|wpa_passphrase|psk|passphrase|password|passwd|secret|token)"?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s,;}]+)/gi,
      `$1${GONE}`,
    )
    .replaceAll(
      /\b(SSID|access point|network|connection|profile)\s+(?:name\s+)?(["'])(?:(?!\2).)*\2/gi,
      `$1 $2${GONE}$2`,
    )
    .replaceAll(/\b(associat\w+ (?:with|to)|Connected to wireless network)\s+("[^"]*"|\S+)/gi, `$1 ${GONE}`)
    .replaceAll(/(authorization:\s*)\S+(\s+\S+)?/gi, `$1${GONE}`);
}

/** A configuration file's text: comments and lines as they are, secrets out. What is no YAML is treated as text. */
export function redactConfig(text: string, known: readonly string[] = []): string {
  const document = parseDocument(text, { prettyErrors: false });
  if (document.errors.length === 0 && isMap(document.contents)) {
    visit(document, {
      Pair(_, pair) {
        if (!isScalar(pair.key) || !SECRET_KEY.test(String(pair.key.value))) return undefined;
        pair.value = document.createNode(GONE);
        return visit.SKIP;
      },
    });
    return redactText(document.toString({ lineWidth: 0 }), known);
  }
  return redactText(text, known);
}

/** What may be told of a certificate: nothing of the key, no bytes. */
export function describeCertificate(pem: string | Buffer): Record<string, string> {
  const { subject, issuer, subjectAltName, validFrom, validTo, fingerprint256 } = new X509Certificate(pem);
  return { subject, issuer, subjectAltName: subjectAltName ?? '', validFrom, validTo, fingerprint256 };
}
