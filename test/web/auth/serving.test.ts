import { join } from 'node:path';
import t from 'tap';
import { LiveStore } from '../../../edge/store/live.js';
import type { WebAuthConfig } from '../../../edge/web/auth/config.js';
import { startWebServer } from '../../../edge/web/server.js';
import { until } from '../../edge/harness.js';
import { form, https, serve, site } from './https-site.js';

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
