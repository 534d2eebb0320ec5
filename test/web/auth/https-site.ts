import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import type { Test } from 'tap';
import { LiveStore } from '../../../edge/store/live.js';
import type { WebAuthConfig } from '../../../edge/web/auth/config.js';
import { type LiveWeb, startWebServer } from '../../../edge/web/server.js';
import { openSiteCa } from '../../../platform/pki.js';
import { recordedLog } from '../../edge/harness.js';
import { accountsFile, folder, PASSWORD } from './rig.js';

/** An authority, a certificate for the page, and an account. */
export async function site(t: Test) {
  const dir = folder(t);
  const ca = await openSiteCa(join(dir, 'site'));
  const write = async (name: string): Promise<{ certificate: string; key: string }> => {
    const { certificate, key } = await ca.issue({
      name,
      kind: 'server',
      hosts: ['127.0.0.1', 'localhost', 'edge.example'],
    });
    const files = { certificate: join(dir, 'page.crt'), key: join(dir, 'page.key') };
    writeFileSync(files.key, key, { mode: 0o600 });
    writeFileSync(files.certificate, certificate);
    return files;
  };
  const accounts = join(dir, 'accounts.json');
  await accountsFile(accounts, [['ada', 'operator']]);
  return { dir, ca: ca.certificate, write, accounts, tls: await write('edge.example') };
}

/** A page that ends with the test. */
export async function serve(t: Test, auth: Partial<WebAuthConfig>, host = '127.0.0.1', port = 0) {
  const recorded = recordedLog();
  const store = new LiveStore();
  const web: LiveWeb = await startWebServer({ store, host, port, auth, log: recorded.log });
  t.teardown(() => web.close());
  return { web, store, ...recorded };
}

interface Options {
  method?: string;
  headers?: object;
  body?: string;
  /** The client's own address. */
  from?: string;
}

/** fetch() knows no authority of ours. */
export function https(url: string, ca: string, { method = 'GET', headers, body, from }: Options = {}) {
  return new Promise<{
    status: number;
    headers: Record<string, string | string[] | undefined>;
    text: string;
    name: string;
  }>((resolve, reject) => {
    const options = { ca, method, headers: { ...headers }, agent: false, localAddress: from } as const;
    const sent = request(url, options, (response) => {
      const { subject } = (response.socket as TLSSocket).getPeerCertificate();
      let text = '';
      response.setEncoding('utf8').on('data', (data) => {
        text += data;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, name: String(subject.CN) }),
      );
    });
    sent.on('error', reject).end(body);
  });
}

/** What the login page sends. */
export const form = (url: string) => ({
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded', origin: url },
  body: new URLSearchParams({ name: 'ada', password: PASSWORD }).toString(),
});
