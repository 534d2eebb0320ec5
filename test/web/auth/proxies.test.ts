import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../../platform/root.js';
import { until } from '../../edge/harness.js';
import { freePort } from '../../platform/brokers.js';
import { form, https, serve, site } from './https-site.js';

type Site = Awaited<ReturnType<typeof site>>;

interface Proxy {
  file: string;
  /** What it is told beside the file, for it to run here as anybody. @returns its command's arguments */
  configure(written: string, port: number, site: Site): { check: string[]; run: string[] };
}

/** The configurations as they are written, at a port of the test's and with its certificate. */
const proxies: Record<string, Proxy> = {
  nginx: {
    file: 'nginx.conf',
    configure(written, port, { dir, tls }) {
      const server = written
        .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
        .replace('/etc/deepcod/page.crt', tls.certificate)
        .replace('/etc/deepcod/page.key', tls.key);
      mkdirSync(join(dir, 'tmp'));
      const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (each) => `${each}_temp_path ${dir}/tmp/${each};`,
      );
      const main = 'daemon off; master_process off; error_log stderr; events {}';
      const config = join(dir, 'nginx.conf');
      writeFileSync(config, `${main}\npid ${dir}/pid;\nhttp { access_log off; ${paths.join(' ')}\n${server}}\n`);
      return { check: ['-t', '-c', config], run: ['-c', config] };
    },
  },
  caddy: {
    file: 'Caddyfile',
    configure(written, port, { dir, tls }) {
      const global = `{\n\tadmin off\n\tauto_https disable_redirects\n\tstorage file_system ${dir}/caddy\n}\n`;
      const server = written.replace(
        /^edge\.example \{$/m,
        `https://127.0.0.1:${port} {\n\tbind 127.0.0.1\n\ttls ${tls.certificate} ${tls.key}`,
      );
      const config = join(dir, 'Caddyfile');
      writeFileSync(config, `${global}${server}`);
      const options = ['--config', config, '--adapter', 'caddyfile'];
      return { check: ['validate', ...options], run: ['run', ...options] };
    },
  },
};

/** A stream of events; what came so far is in `text()`. */
function listen(url: string, ca: string, headers: object) {
  let text = '';
  const sent = get(url, { ca, headers: { ...headers }, agent: false }, (response) => {
    response.setEncoding('utf8').on('data', (data) => {
      text += data;
    });
  });
  sent.on('error', () => {});
  return { text: () => text, close: () => sent.destroy() };
}

for (const [name, { file, configure }] of Object.entries(proxies)) {
  const program = [name, `/usr/sbin/${name}`].find((path) => spawnSync(path, ['version']).error === undefined);
  const skip = program ? false : `${name} is not installed: deploy/proxy/${file} is not tried`;

  t.test(`the written configuration of ${name}`, { skip }, async (t) => {
    const own = await site(t);
    const { ca, accounts, dir } = own;
    const [port, pagePort] = [await freePort(), await freePort()];
    const { store } = await serve(t, { accounts, trusted_proxies: ['127.0.0.1'] }, '127.0.0.1', pagePort);
    const written = readFileSync(join(packageRoot(), 'deploy', 'proxy', file), 'utf8');
    t.match(written, '127.0.0.1:8080');
    const { check, run } = configure(written.replace('127.0.0.1:8080', `127.0.0.1:${pagePort}`), port, own);
    const env = { ...process.env, HOME: dir, XDG_CONFIG_HOME: dir, XDG_DATA_HOME: dir };
    const checked = spawnSync(program as string, check, { encoding: 'utf8', env });
    t.equal(checked.status, 0, checked.stderr);
    const child = spawn(program as string, run, { stdio: 'ignore', env });
    t.teardown(async () => {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
    });
    const url = `https://127.0.0.1:${port}`;
    let up = false;
    for (let i = 0; i < 600 && !up; i++) {
      up = await https(`${url}/healthz`, ca).then(
        () => true,
        () => new Promise((resolve) => setTimeout(resolve, 50, false)),
      );
    }
    // A client that says of itself that it is somebody else.
    const lie = { ...form(url), from: '127.0.0.2' };
    Object.assign(lie.headers, { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'http' });
    const login = await https(`${url}/login`, ca, lie);
    t.equal(login.status, 303);
    const [cookie] = login.headers['set-cookie'] as string[];
    t.match(cookie, /^__Host-deepcod=/);
    const headers = { cookie: cookie.split(';')[0] };
    const audit = await https(`${url}/api/v1/audit`, ca, { headers });
    t.match(JSON.parse(audit.text), { entries: [{ event: 'login', user: 'ada', address: '127.0.0.2' }] });
    t.equal((await https(`${url}/`, ca, { headers })).status, 200);
    const { text, close } = listen(`${url}/api/v1/stream`, ca, headers);
    await until(() => text().includes('event: cameras'), 'the first event of an open stream');
    store.onStatus('gate-7', { online: true });
    await until(() => text().includes('gate-7'), 'what is new passes at once');
    // A proxy that is told to end waits for what is open.
    close();
  });
}
