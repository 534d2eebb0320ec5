import { constants } from 'node:crypto';
import { unwatchFile, watchFile } from 'node:fs';
import type { SecureContextOptions } from 'node:tls';

/** TLS 1.3, or 1.2 with forward secrecy and authenticated encryption; no ticket outlives a revocation. */
export const tlsProtocol: SecureContextOptions = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'TLS_AES_128_GCM_SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-RSA-CHACHA20-POLY1305',
    'ECDHE-RSA-AES128-GCM-SHA256',
  ].join(':'),
  secureOptions: constants.SSL_OP_NO_TICKET,
  honorCipherOrder: true,
};

/** How often files are looked at, and how long the last of several that change together is waited for, ms. */
const LOOK_MS = 1000;
const SETTLE_MS = 200;

/** Calls `changed` when one of the files does. @returns ends looking */
export function watchFiles(files: readonly string[], changed: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const again = (): void => {
    clearTimeout(timer);
    timer = setTimeout(changed, SETTLE_MS);
  };
  for (const file of files) watchFile(file, { interval: LOOK_MS, persistent: false }, again);
  return () => {
    clearTimeout(timer);
    for (const file of files) unwatchFile(file, again);
  };
}
