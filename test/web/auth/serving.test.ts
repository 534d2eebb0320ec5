import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { LiveStore } from '../../../edge/store/live.js';
import type { WebAuthConfig } from '../../../edge/web/auth/config.js';
import { type LiveWeb, startWebServer } from '../../../edge/web/server.js';
import { openSiteCa } from '../../../platform/pki.js';
import { packageRoot } from '../../../platform/root.js';
import { recordedLog, until } from '../../edge/harness.js';
import { freePort } from '../../platform/brokers.js';
import { accountsFile, folder, PASSWORD } from './rig.js';

async function site(t: Test) {
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

async function serve(t: Test, auth: Partial<WebAuthConfig>, host = '127.0.0.1', port = 0) {
  const recorded = recordedLog();
  const web: LiveWeb = await startWebServer({ store: new LiveStore(), host, port, auth, log: recorded.log });
  t.teardown(() => web.close());
  return { web, ...recorded };
}

/** fetch() knows no authority of ours. */
function https(url: string, ca: string, options: { method?: string; headers?: object; body?: string } = {}) {
  const { method = 'GET', headers, body } = options;
  return new Promise<{
    status: number;
    headers: Record<string, string | string[] | undefined>;
    text: string;
    name: string;
  }>((resolve, reject) => {
    const sent = request(url, { ca, method, headers: { ...headers }, agent: false }, (response) => {
      const { subject } = (response.socket as import('node:tls').TLSSocket).getPeerCertificate();
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

const form = (url: string) => ({
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded', origin: url },
  body: new URLSearchParams({ name: 'ada', password: PASSWORD }).toString(),
});

t.test('a page that others could open is refused without accounts, and without https', async (t) => {
  const { accounts, dir, tls } = await site(t);
  const refused = (auth: Partial<WebAuthConfig>, code: string, host = '0.0.0.0') =>
    t.rejects(startWebServer({ store: new LiveStore(), host, auth }), { code, exitCode: 2, hint: /./ }, code);
  await refused({}, 'web_open');
  await refused({ tls }, 'web_open');
  await refused({ insecure: true }, 'web_open');
  await refused({ trusted_proxies: ['127.0.0.1'] }, 'web_open', '127.0.0.1');
  await refused({ accounts }, 'web_insecure');
  await refused({ accounts: join(dir, 'none.json'), tls }, 'web_no_account');
  await refused({ accounts, tls: { ...tls, key: tls.certificate } }, 'web_tls');
  await refused({ accounts, tls: { ...tls, key: join(dir, 'none') } }, 'secret_unreadable');
  const { said } = await serve(t, { accounts, insecure: true }, '0.0.0.0');
  t.ok(said(/passwords can be listened to/), 'by choice, and loudly');
});

t.test('the page by its own https', async (t) => {
  const { accounts, tls, ca, write } = await site(t);
  const { web, said } = await serve(t, { accounts, tls }, '0.0.0.0');
  t.match(web.url, /^https:/);
  const url = web.url.replace('localhost', '127.0.0.1').replace(/\/$/, '');
  const page = await https(`${url}/`, ca, { headers: { accept: 'text/html' } });
  t.equal(page.status, 303);
  t.match(page.headers['strict-transport-security'], /max-age/);
  const login = await https(`${url}/login`, ca, form(url));
  t.equal(login.status, 303);
  const [cookie] = login.headers['set-cookie'] as string[];
  t.match(cookie, /^__Host-deepcod=.{43};.*Secure/);
  const again = await https(`${url}/`, ca, { headers: { cookie: cookie.split(';')[0], accept: 'text/html' } });
  t.equal(again.status, 200);
  t.match(again.headers['content-security-policy'], "default-src 'none'");
  const forged = { cookie: cookie.split(';')[0].replace('__Host-', '') };
  t.equal(
    (await https(`${url}/api/v1/session`, ca, { headers: forged })).status,
    401,
    'a cookie without __Host- is none',
  );
  await t.rejects(fetch(url.replace('https', 'http')), 'no plain http');
  await write('edge-renewed');
  await until(() => said(/certificate was read again/), 'the new certificate');
  t.equal((await https(`${url}/healthz`, ca)).name, 'edge-renewed');
});

t.test('behind a proxy: believed is the one that is trusted', async (t) => {
  const { accounts } = await site(t);
  const forwarded = {
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'edge.example',
    'x-forwarded-for': '203.0.113.9',
  };
  const post = (url: string, origin: string) =>
    fetch(`${url}login`, { ...form(origin), redirect: 'manual', headers: { ...form(origin).headers, ...forwarded } });
  const { web } = await serve(t, { accounts, trusted_proxies: ['127.0.0.1'] });
  const trusted = await post(web.url, 'https://edge.example');
  t.equal(trusted.status, 303);
  t.match(trusted.headers.getSetCookie()[0], /^__Host-deepcod=.*Secure/);
  t.equal(
    (await fetch(`${web.url}login`, { ...form(web.url.slice(0, -1)) })).status,
    403,
    'not past the proxy, in the clear',
  );
  const other = await serve(t, { accounts, trusted_proxies: ['192.0.2.1'] });
  t.equal((await post(other.web.url, 'https://edge.example')).status, 403, 'anybody can write such headers');
});

const nginx = ['nginx', '/usr/sbin/nginx'].find((path) => spawnSync(path, ['-v']).error === undefined);
const withoutNginx = nginx ? false : 'nginx is not installed: deploy/proxy/nginx.conf is not tried';

t.test('the written configuration of nginx', { skip: withoutNginx }, async (t) => {
  const { accounts, dir, ca, tls } = await site(t);
  const [port, pagePort] = [await freePort(), await freePort()];
  const { web } = await serve(t, { accounts, trusted_proxies: ['127.0.0.1'] }, '127.0.0.1', pagePort);
  const written = readFileSync(join(packageRoot(), 'deploy', 'proxy', 'nginx.conf'), 'utf8')
    .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
    .replace('127.0.0.1:8080;', `127.0.0.1:${pagePort};`)
    .replace('/etc/deepcod/page.crt', tls.certificate)
    .replace('/etc/deepcod/page.key', tls.key);
  mkdirSync(join(dir, 'tmp'));
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (each) => `${each}_temp_path ${dir}/tmp/${each};`,
  );
  const config = join(dir, 'nginx.conf');
  const main = 'daemon off; master_process off; error_log stderr; events {}';
  writeFileSync(config, `${main}\npid ${dir}/pid;\nhttp { access_log off; ${paths.join(' ')}\n${written}}\n`);
  const checked = spawnSync(nginx as string, ['-t', '-c', config], { encoding: 'utf8' });
  t.equal(checked.status, 0, checked.stderr);
  const child = spawn(nginx as string, ['-c', config], { stdio: 'ignore' });
  t.teardown(async () => {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  });
  const url = `https://127.0.0.1:${port}`;
  let up = false;
  for (let i = 0; i < 200 && !up; i++) {
    up = await https(`${url}/healthz`, ca).then(
      () => true,
      () => new Promise((resolve) => setTimeout(resolve, 50, false)),
    );
  }
  // a client that says of itself that it is somebody else
  const lie = form(url);
  Object.assign(lie.headers, { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'http' });
  const login = await https(`${url}/login`, ca, lie);
  t.equal(login.status, 303);
  const [cookie] = login.headers['set-cookie'] as string[];
  t.match(cookie, /^__Host-deepcod=/);
  const headers = { cookie: cookie.split(';')[0] };
  const audit = await https(`${url}/api/v1/audit`, ca, { headers });
  t.match(JSON.parse(audit.text), { entries: [{ event: 'login', user: 'ada', address: '127.0.0.1' }] });
  const page = await https(`${url}/`, ca, { headers });
  t.equal(page.status, 200);
  t.ok(web.url);
});
