import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import t from 'tap';
import { type CertificateRequest, openSiteCa, type SiteCa, writeOnce } from '../../../platform/pki.js';

const withoutOpenssl = spawnSync('openssl', ['version']).error ? 'openssl is not installed' : false;
const read = (...parts: string[]) => readFileSync(join(...parts), 'utf8');

t.test('made once, opened again', async (t) => {
  const dir = join(t.testdir({}), 'site');
  const ca = await openSiteCa(dir);
  t.same(readdirSync(dir).sort(), ['ca.crt', 'ca.key'], 'nothing else is left');
  t.equal(statSync(join(dir, 'ca.key')).mode & 0o777, 0o600);
  t.equal(statSync(dir).mode & 0o777, 0o700);
  t.equal(ca.certificate, read(dir, 'ca.crt'));
  const key = read(dir, 'ca.key');
  t.equal((await openSiteCa(dir)).certificate, ca.certificate);
  t.equal(read(dir, 'ca.key'), key);

  const own = new X509Certificate(ca.certificate);
  t.ok(own.ca);
  t.match(own.subject, /^CN=deepcod site [0-9a-f]{8}$/);
  const years = (Date.parse(own.validTo) - Date.now()) / (365 * 86_400_000);
  t.ok(years > 19.9 && years < 20.1, `${years} years`);
  const other = new X509Certificate((await openSiteCa(join(t.testdirName, 'other'))).certificate);
  t.not(other.subject, own.subject, 'sites have names of their own');
});

t.test('many at the same time make one', async (t) => {
  const dir = t.testdir({});
  const all = await Promise.all(Array.from({ length: 8 }, () => openSiteCa(dir)));
  t.equal(new Set(all.map((ca) => ca.certificate)).size, 1);
  t.same(readdirSync(dir).sort(), ['ca.crt', 'ca.key']);
});

t.test(
  'a key that lost power before its certificate was written gets one that still proves what it signed',
  async (t) => {
    const dir = t.testdir({});
    const { certificate } = await (await openSiteCa(dir)).issue({ name: 'yard', kind: 'device' });
    rmSync(join(dir, 'ca.crt'));
    const again = new X509Certificate((await openSiteCa(dir)).certificate);
    const issued = new X509Certificate(certificate);
    t.ok(issued.checkIssued(again) && issued.verify(again.publicKey));
  },
);

t.test('what is wrong with it is said', async (t) => {
  const good = join(t.testdir({}), 'good');
  const ca = await openSiteCa(good);
  const machine = await ca.issue({ name: 'yard', kind: 'device' });
  const other = join(t.testdirName, 'other');
  await openSiteCa(other);
  const rsa = spawnSync('openssl', ['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']).stdout;
  const cases: [string, Record<string, string>, RegExp][] = [
    ['no key', { 'ca.crt': ca.certificate }, /ca\.key is missing, though its certificate is there/],
    ['a key of nothing', { 'ca.key': 'x', 'ca.crt': ca.certificate }, /ca\.key holds no usable key/],
    ['an empty key', { 'ca.key': '', 'ca.crt': ca.certificate }, /ca\.key holds no usable key/],
    ['a certificate of nothing', { 'ca.key': read(good, 'ca.key'), 'ca.crt': 'x' }, /ca\.crt holds no certificate/],
    ['half of it', { 'ca.key': read(good, 'ca.key'), 'ca.crt': ca.certificate.slice(0, 300) }, /holds no certificate/],
    ['of another', { 'ca.key': read(good, 'ca.key'), 'ca.crt': read(other, 'ca.crt') }, /does not belong to ca\.key/],
    ['a machine’s', { 'ca.key': machine.key, 'ca.crt': machine.certificate }, /not the certificate of a site/],
  ];
  if (!withoutOpenssl) cases.push(['RSA', { 'ca.key': String(rsa) }, /rsa, not ECDSA P-256/]);
  for (const [name, files, message] of cases) {
    const dir = join(t.testdirName, name);
    for (const [file, content] of Object.entries(files)) await writeOnce(join(dir, file), content, 0o600);
    await t.rejects(openSiteCa(dir), { code: 'site_ca_damaged', message, hint: /ca\.crt and ca\.key/ }, name);
    for (const [file, content] of Object.entries(files)) t.equal(read(dir, file), content, 'left as it was');
  }
  chmodSync(join(good, 'ca.key'), 0o640);
  await t.rejects(openSiteCa(good), { code: 'site_ca_open', hint: /chmod 600/ });
  writeFileSync(join(t.testdirName, 'file'), '');
  await t.rejects(openSiteCa(join(t.testdirName, 'file')), { code: 'site_ca_damaged' });
});

t.test('requests that are refused', async (t) => {
  const ca = await openSiteCa(t.testdir({}));
  const refused = (request: Partial<CertificateRequest>, message: RegExp) =>
    t.rejects(ca.issue({ name: 'a', kind: 'server', ...request }), { code: 'certificate_request', message });
  for (const name of ['', 'a b', 'a/b', 'a,CN=b', 'x'.repeat(65), 'a\n']) await refused({ name }, /name "/);
  for (const host of ['', '-a', 'a b', 'a..b', 'mqtts://a', '*', 'a:8883', '1.2.3.4/8']) {
    await refused({ hosts: [host] }, /neither a host name nor an address/);
  }
  for (const days of [0, -1, 7301, Number.NaN]) await refused({ days }, /from 1 to 7300/);
  await refused({ kind: 'client' as 'device' }, /allowed: device, server, worker/);
});

t.test('what a certificate says', async (t) => {
  const ca = await openSiteCa(t.testdir({}));
  const issue = async (request: CertificateRequest) => new X509Certificate((await ca.issue(request)).certificate);
  const device = await issue({ name: 'yard-1', kind: 'device' });
  t.equal(device.subject, 'CN=yard-1');
  t.same(device.keyUsage, ['1.3.6.1.5.5.7.3.2']);
  t.notOk(device.subjectAltName);
  t.notOk(device.ca);
  t.match(device.serialNumber, /^[4-7][0-9A-F]{31}$/);
  t.ok(Date.parse(device.validFrom) < Date.now() - 3_600_000, 'good for a clock that is behind');
  const days = (Date.parse(device.validTo) - Date.now()) / 86_400_000;
  t.ok(days > 3649 && days < 3651);

  const server = await issue({ name: 'broker', kind: 'server', hosts: ['edge.local', '10.0.0.7', '::1'], days: 30 });
  t.same(server.keyUsage, ['1.3.6.1.5.5.7.3.1']);
  t.ok(server.checkHost('edge.local'));
  t.ok(server.checkIP('10.0.0.7'));
  t.ok(server.checkIP('::1'));
  t.notOk(server.checkHost('broker', { subject: 'never' }));
  t.ok(Date.parse(server.validTo) < Date.now() + 31 * 86_400_000);

  const worker = await issue({ name: 'edge-1', kind: 'worker' });
  t.same(worker.keyUsage?.sort(), ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
  t.ok(worker.checkHost('edge-1'));

  const serials = await Promise.all(Array.from({ length: 20 }, () => issue({ name: 'yard-1', kind: 'device' })));
  t.equal(new Set(serials.map((one) => one.serialNumber)).size, 20);
  const own = new X509Certificate(ca.certificate);
  const long = await issue({ name: 'yard-1', kind: 'device', days: 7300 });
  t.ok(Date.parse(long.validTo) <= Date.parse(own.validTo), 'never longer than the authority');
});

t.test('OpenSSL takes the chain, each for its purpose alone', { skip: withoutOpenssl }, async (t) => {
  const dir = t.testdir({});
  const ca = await openSiteCa(dir);
  const openssl = (...args: string[]) => spawnSync('openssl', args, { cwd: dir, encoding: 'utf8' });
  for (const [kind, client, server] of [
    ['device', true, false],
    ['server', false, true],
    ['worker', true, true],
  ] as const) {
    const { certificate, key } = await ca.issue({ name: kind, kind });
    writeFileSync(join(dir, `${kind}.crt`), certificate);
    writeFileSync(join(dir, `${kind}.key`), key);
    const verify = (...purpose: string[]) =>
      openssl('verify', '-x509_strict', '-CAfile', 'ca.crt', ...purpose, `${kind}.crt`).status === 0;
    t.ok(verify());
    t.equal(verify('-purpose', 'sslclient'), client, `${kind} as a client`);
    t.equal(verify('-purpose', 'sslserver'), server, `${kind} as a server`);
    const text = openssl('x509', '-in', `${kind}.crt`, '-noout', '-text').stdout;
    t.match(text, /Key Usage: critical\s+Digital Signature\n/);
    t.match(text, /Basic Constraints: critical\s+CA:FALSE/);
    t.match(text, /Signature Algorithm: ecdsa-with-SHA256/);
    t.equal(
      openssl('pkey', '-in', `${kind}.key`, '-pubout').stdout,
      openssl('x509', '-in', `${kind}.crt`, '-noout', '-pubkey').stdout,
    );
  }
  const own = openssl('x509', '-in', 'ca.crt', '-noout', '-text').stdout;
  t.match(own, /Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
  t.match(own, /Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
  const other = await openSiteCa(join(dir, 'other'));
  writeFileSync(join(dir, 'strange.crt'), (await other.issue({ name: 'device', kind: 'device' })).certificate);
  t.not(openssl('verify', '-CAfile', 'ca.crt', 'strange.crt').status, 0, 'what another site signed');
});

/** A device calls a server, both with certificates: what each thinks of the other. */
async function meet(site: SiteCa, serving: CertificateRequest, calling: CertificateRequest, servername: string) {
  const own = await site.issue(serving);
  const server = createServer({
    ...{ cert: own.certificate, key: own.key, ca: site.certificate },
    ...{ requestCert: true, rejectUnauthorized: true },
  });
  const seen = new Promise<string>((resolve) => {
    server.once('secureConnection', (socket: TLSSocket) => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.end();
    });
    server.once('tlsClientError', (error) => resolve(`refused: ${error.message}`));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { certificate: cert, key } = await site.issue(calling);
  const { port } = server.address() as AddressInfo;
  const socket = connect({ host: '127.0.0.1', port, servername, ca: site.certificate, cert, key });
  const client = await new Promise<string>((resolve) => {
    socket.once('secureConnect', () => resolve(socket.authorized ? 'connected' : 'unauthorized'));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(String(error.code)));
  });
  const result = { server: client === 'connected' ? await seen : '', client };
  socket.destroy();
  server.close();
  return result;
}

t.test('Node’s TLS takes them, both ways', async (t) => {
  const site = await openSiteCa(t.testdir({}));
  const broker: CertificateRequest = { name: 'broker', kind: 'server', hosts: ['edge.local'] };
  const device: CertificateRequest = { name: 'yard-1', kind: 'device' };
  t.same(await meet(site, broker, device, 'edge.local'), { server: 'yard-1', client: 'connected' });
  t.match(await meet(site, broker, device, 'other.local'), { client: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  t.match(await meet(site, { ...device, hosts: ['edge.local'] }, device, 'edge.local'), { client: /INVALID_PURPOSE/ });
  t.match(await meet(site, broker, broker, 'edge.local'), { server: /^refused: / });
  const worker: CertificateRequest = { name: 'edge-1', kind: 'worker', hosts: ['edge.local'] };
  t.same(await meet(site, worker, worker, 'edge.local'), { server: 'edge-1', client: 'connected' });
});

t.test('a file is written once, whole', async (t) => {
  const file = join(t.testdir({}), 'a', 'b', 'file');
  t.ok(await writeOnce(file, 'first', 0o600));
  t.notOk(await writeOnce(file, 'second', 0o644));
  t.equal(read(file), 'first');
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.same(readdirSync(join(file, '..')), ['file']);
  await t.rejects(writeOnce(join(file, 'below'), 'x', 0o600), { code: /ENOTDIR|EEXIST/ });
});
