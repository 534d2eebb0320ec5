import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTls } from 'node:tls';
import t, { type Test } from 'tap';
import { aedesBroker, freePort, mosquittoBroker, withoutMosquitto } from '../../../platform/brokers.js';
import { examine, folder, of } from './stand-in.js';

const withoutOpenssl = spawnSync('openssl', ['version']).error ? 'openssl is not installed' : false;
const skip = withoutMosquitto || withoutOpenssl;

/** What a check finds with a broker configured so. */
async function found(t: Test, check: string, broker: object, parts = {}) {
  const { findings } = await examine(t, [check], { config: { broker }, parts });
  return of(findings, check);
}

t.test('DNS: no such name, no server', async (t) => {
  const failing = (code: string) => ({
    lookup: async () => {
      throw Object.assign(new Error(code), { code });
    },
  });
  const broker = { url: 'mqtt://edge.site.example' };
  t.match(await found(t, 'dns', broker, failing('ENOTFOUND')), [
    { id: 'dns_unknown', todo: /getent hosts edge\.site\.example/ },
  ]);
  t.match(await found(t, 'dns', broker, failing('EAI_AGAIN')), [{ id: 'dns_no_answer' }]);
  const { findings } = await examine(t, ['login'], { config: { broker }, parts: failing('ENOTFOUND') });
  t.same(
    findings.slice(2).map(({ status, what }) => [status, what]),
    [
      ['skipped', 'see dns'],
      ['skipped', 'see tcp'],
      ['skipped', 'see tls'],
    ],
  );
});

t.test('TCP: refused', async (t) => {
  t.match(await found(t, 'tcp', { url: `mqtt://127.0.0.1:${await freePort()}` }), [
    { id: 'tcp_refused', symptom: 'silent' },
  ]);
  const unreachable = {
    connect: async () => {
      throw Object.assign(new Error('x'), { code: 'ENETUNREACH' });
    },
  };
  t.match(await found(t, 'tcp', { url: 'mqtt://127.0.0.1:1' }, unreachable), [{ id: 'tcp_no_route' }]);
});

t.test('TCP: no answer, as behind a firewall', async (t) => {
  // A server that never accepts: when its backlog is full, the kernel leaves whoever knocks without an answer.
  const script =
    "const s = require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {" +
    "require('fs').writeSync(1, String(s.address().port)); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); })";
  const child: ChildProcess = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  const port = Number(said);
  const knocking: Socket[] = Array.from({ length: 6 }, () => connect(port, '127.0.0.1').on('error', () => {}));
  t.teardown(() => {
    for (const socket of knocking) socket.destroy();
    child.kill('SIGKILL');
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  t.match(await found(t, 'tcp', { url: `mqtt://127.0.0.1:${port}` }), [
    { id: 'tcp_no_answer', todo: new RegExp(`TCP port ${port} to be opened`) },
  ]);
});

/** A site's authority, another one, and certificates of theirs. */
function certificates(dir: string): void {
  const openssl = (...args: string[]) => {
    const { status, stderr } = spawnSync('openssl', args, { cwd: dir, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  for (const ca of ['ca', 'other'])
    openssl('req', '-x509', ...key, '-keyout', `${ca}.key`, '-out', `${ca}.pem`, '-subj', `/CN=${ca}`, '-days', '90');
  // `openssl ca` alone takes dates in every release.
  const settings = [
    'database=index',
    'rand_serial=yes',
    'new_certs_dir=.',
    'default_md=sha256',
    'policy=names',
    'copy_extensions=copy',
  ];
  writeFileSync(
    join(dir, 'ca.conf'),
    ['[ca]', 'default_ca=site', '[site]', 'unique_subject=no', ...settings, '[names]', 'commonName=supplied', ''].join(
      '\n',
    ),
  );
  writeFileSync(join(dir, 'index'), '');
  const here = ['-addext', 'subjectAltName=IP:127.0.0.1'];
  const past = ['-startdate', '20200101000000Z', '-enddate', '20200201000000Z'];
  for (const [name, ca, more, dates] of [
    ['broker', 'ca', here, ['-days', '60']],
    ['ending', 'ca', here, ['-days', '5']],
    ['expired', 'ca', here, past],
    ['future', 'ca', here, ['-startdate', '20900101000000Z', '-enddate', '20910201000000Z']],
    ['named', 'ca', ['-addext', 'subjectAltName=DNS:edge.site.example'], ['-days', '60']],
    ['yard', 'ca', [], ['-days', '60']],
    ['stranger', 'other', [], ['-days', '60']],
    ['gone', 'ca', [], past],
  ] as const) {
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`, ...more);
    const by = ['-cert', `${ca}.pem`, '-keyfile', `${ca}.key`];
    openssl(
      'ca',
      '-batch',
      '-notext',
      '-config',
      'ca.conf',
      ...by,
      '-in',
      `${name}.csr`,
      '-out',
      `${name}.pem`,
      ...dates,
    );
  }
}

t.test('TLS', { skip }, async (t) => {
  const dir = folder(t);
  certificates(dir);
  chmodSync(dir, 0o755);
  const ca_file = join(dir, 'ca.pem');
  const own = (name: string) => ({ cert_file: join(dir, `${name}.pem`), key_file: join(dir, `${name}.key`) });

  /** A server of this certificate that takes anybody. */
  const server = async (t: Test, name: string) => {
    const tls = createTls(
      { cert: readFileSync(join(dir, `${name}.pem`)), key: readFileSync(join(dir, `${name}.key`)) },
      (socket) => socket.on('error', () => {}),
    );
    tls.on('tlsClientError', () => {});
    tls.listen(0, '127.0.0.1');
    await once(tls, 'listening');
    t.teardown(() => tls.close());
    return `mqtts://127.0.0.1:${(tls.address() as AddressInfo).port}`;
  };
  t.test('the broker’s certificate', async (t) => {
    t.match(await found(t, 'tls', { url: await server(t, 'broker'), ca_file }), [
      { id: 'tls_ok', values: { days: 59 } },
    ]);
    const other = await found(t, 'tls', { url: await server(t, 'broker'), ca_file: join(dir, 'other.pem') });
    t.match(other, [{ id: 'tls_wrong_ca', what: /signed by CN=ca/, todo: /broker\.ca_file/ }]);
    t.match(await found(t, 'tls', { url: await server(t, 'expired'), ca_file }), [{ id: 'tls_expired', what: /2020/ }]);
    t.match(await found(t, 'tls', { url: await server(t, 'future'), ca_file }), [
      { id: 'tls_not_yet_valid', todo: /set-ntp/ },
    ]);
    t.match(await found(t, 'tls', { url: await server(t, 'named'), ca_file }), [
      { id: 'tls_wrong_name', what: /edge\.site\.example, not for 127\.0\.0\.1/ },
    ]);
    t.match(await found(t, 'tls', { url: await server(t, 'ending'), ca_file }), [
      { id: 'certificate_ends_soon', status: 'warning', values: { days: 4 } },
    ]);
  });
  t.test('no TLS there', async (t) => {
    const plain = createServer((socket) => socket.end('no\r\n').on('error', () => {})).listen(0, '127.0.0.1');
    await once(plain, 'listening');
    t.teardown(() => plain.close());
    const url = `mqtts://127.0.0.1:${(plain.address() as AddressInfo).port}`;
    t.match(await found(t, 'tls', { url, ca_file }), [{ id: 'tls_not_spoken' }]);
  });
  t.test('our certificate, at a real broker', async (t) => {
    const files = ['cafile ca.pem', 'certfile broker.pem', 'keyfile broker.key'].map((line) =>
      line.replace(' ', ` ${dir}/`),
    );
    const broker = await mosquittoBroker([
      ...files,
      'require_certificate true',
      'use_identity_as_username true',
      'allow_anonymous false',
      'user root',
    ]);
    await broker.start();
    t.teardown(() => broker.stop());
    const url = broker.url.replace('mqtt:', 'mqtts:');
    t.match(await found(t, 'login', { url, ca_file, ...own('yard') }), [
      { id: 'login_ok', what: 'by certificate, MQTT 5' },
    ]);
    t.match(await found(t, 'tls', { url, ca_file }), [{ id: 'client_certificate_missing', todo: /broker\.cert_file/ }]);
    t.match(await found(t, 'tls', { url, ca_file, ...own('stranger') }), [{ id: 'client_certificate_refused' }]);
    t.match(await found(t, 'tls', { url, ca_file, ...own('gone') }), [
      { id: 'client_certificate_expired', what: /2020/ },
    ]);
    const mixed = { cert_file: own('yard').cert_file, key_file: own('stranger').key_file };
    t.match(await found(t, 'secrets', { url, ca_file, ...mixed }), [{ id: 'key_mismatch' }]);
  });
});

t.test('login refused', { skip: withoutMosquitto }, async (t) => {
  const broker = await mosquittoBroker(['allow_anonymous false']);
  await broker.start();
  t.teardown(() => broker.stop());
  t.match(await found(t, 'login', { url: broker.url }), [{ id: 'login_refused', status: 'failure' }]);
  const password_file = join(folder(t), 'password');
  writeFileSync(password_file, 'wrong', { mode: 0o600 });
  t.match(await found(t, 'login', { url: broker.url, username: 'yard', password_file }), [
    { id: 'login_refused', what: /^yard: / },
  ]);
  const old = await found(t, 'login', { url: broker.url, version: '3.1.1' });
  t.match(old, [{ id: 'login_refused' }]);
});

t.test('login: who answers is no broker', async (t) => {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  t.match(await found(t, 'login', { url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}` }), [
    { id: 'login_no_answer' },
  ]);
});

t.test('permission', { skip: withoutMosquitto }, async (t) => {
  const dir = folder(t);
  chmodSync(dir, 0o755);
  const acl = async (text: string, version: string) => {
    writeFileSync(join(dir, 'acl'), text, { mode: 0o644 });
    const broker = await mosquittoBroker(['allow_anonymous true', `acl_file ${dir}/acl`, 'user root']);
    await broker.start();
    const findings = await found(t, 'topics', { url: broker.url, version });
    await broker.stop();
    return findings;
  };
  t.match(await acl('topic read deepcod/#\n', '5'), [{ id: 'publish_refused', todo: /write deepcod\/yard\/ping/ }]);
  t.match(
    await acl('topic read deepcod/#\n', '3.1.1'),
    [{ id: 'round_trip_lost', status: 'failure' }],
    'MQTT 3.1.1 says nothing',
  );
  t.match(await acl('topic write deepcod/yard/ping\n', '5'), [{ id: /subscribe_refused|round_trip_lost/ }]);
  t.match(await acl('topic readwrite deepcod/#\n', '5'), [{ id: 'topics_ok' }]);
});

/** Passes bytes on: at a rate, or not at all from some moment. */
async function relay(
  t: Test,
  url: string,
  manner: { bytesPerMs?: number; loses?: (chunk: Buffer) => boolean },
): Promise<string> {
  const target = Number(new URL(url).port);
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    let free = performance.now();
    const pass = (from: Socket, to: Socket, slow: boolean) => {
      from.on('data', (chunk: Buffer) => {
        if (slow && manner.loses?.(chunk)) return;
        if (!slow || !manner.bytesPerMs) return void to.write(chunk);
        free = Math.max(free, performance.now()) + chunk.length / manner.bytesPerMs;
        setTimeout(() => to.write(chunk), free - performance.now());
      });
      from.on('close', () => to.destroy()).on('error', () => to.destroy());
    };
    pass(near, far, true);
    pass(far, near, false);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

t.test('the link: good, slow, delayed, lossy', async (t) => {
  const broker = await aedesBroker();
  await broker.start();
  t.teardown(() => broker.stop());
  const look = async (manner: Parameters<typeof relay>[2], camera = {}) => {
    const url = await relay(t, broker.url, manner);
    const { findings } = await examine(t, ['bundle', 'link'], { config: { broker: { url }, camera } });
    return of(findings, 'link');
  };
  t.match(await look({}), [{ id: 'link_ok', values: { lost: 0, sent: 10, needed_bps: 2000 } }]);
  // 50 bytes, 120 times a second, are 48 kbit/s; this link carries 40.
  const slow = await look({ bytesPerMs: 5 }, { fps: 120 });
  t.match(slow, [{ id: 'link_slow', symptom: 'slow' }]);
  t.ok(Math.abs(Number(slow[0].values?.upload_bps) - 40_000) < 12_000, `as the relay: ${slow[0].values?.upload_bps}`);
  // Every 1000-byte probe takes 300 ms: what the smallest payloads need still fits.
  t.match(await look({ bytesPerMs: 3.3 }, { fps: 5 }), [{ id: 'link_delayed' }]);
  let probes = 0;
  const lossy = await look({ loses: (chunk) => chunk.length > 1000 && chunk.length < 1100 && ++probes % 4 === 3 });
  t.match(lossy, [{ id: 'link_lossy', what: /of \d+ lost/, values: { lost: Number } }]);
});
