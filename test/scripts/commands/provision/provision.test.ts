import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { loadAgentConfig } from '../../../../agent/config/config.js';
import { run } from '../../../../scripts/commands/provision.js';
import { freshCmdline, Site } from './site.js';

const read = (...parts: string[]) => readFileSync(join(...parts), 'utf8');
const tree = (dir: string) =>
  readdirSync(dir, { recursive: true })
    .map(String)
    .filter((file) => !statSync(join(dir, file)).isDirectory())
    .sort();

t.test('a card for trixie: what is on it, and the same again', async (t) => {
  const site = new Site(t.testdir({}));
  const boot = join(site.folder, 'boot');
  mkdirSync(boot);
  writeFileSync(join(boot, 'cmdline.txt'), freshCmdline);
  const args = ['line-01', '--boot', boot, ...site.wifi(), '--ssh-key', join(site.folder, 'id.pub')];
  const first = await site.provision(...args);
  t.match(first, { code: 0, output: /^line-01: made, until 20\d\d-\d\d-\d\d, fingerprint [0-9A-F:]{23}\.\.\.\n/ });
  t.same(tree(boot), [
    'cmdline.txt',
    ...['agent.yaml', 'ca.crt', 'deepcod-first-boot', 'deepcod-first-boot.service', 'deepcod_9.9.9_arm64.deb'].map(
      (name) => `deepcod/${name}`,
    ),
    ...['device.crt', 'device.env', 'device.key'].map((name) => `deepcod/${name}`),
    ...['meta-data', 'network-config', 'user-data'],
  ]);
  const own = join(site.folder, 'site', 'devices', 'line-01');
  t.equal(statSync(join(own, 'device.key')).mode & 0o777, 0o600);
  t.equal(statSync(join(boot, 'deepcod', 'device.key')).mode & 0o777, 0o600);
  t.equal(read(boot, 'deepcod', 'device.key'), read(own, 'device.key'));
  const certificate = new X509Certificate(read(boot, 'deepcod', 'device.crt'));
  t.equal(certificate.subject, 'CN=line-01');
  t.ok(certificate.checkPrivateKey(createPrivateKey(read(own, 'device.key'))));
  t.ok(certificate.verify(new X509Certificate(read(boot, 'deepcod', 'ca.crt')).publicKey));

  const cmdline = read(boot, 'cmdline.txt');
  t.match(cmdline, /^console=[^\n]+ ds=nocloud;i=deepcod-line-01-[0-9a-f]{8} cfg80211\.ieee80211_regdom=DE\n$/);
  t.ok(cmdline.startsWith(freshCmdline.trim()), 'nothing of the line is lost');
  t.equal(read(boot, 'meta-data').trim(), `instance-id: ${/i=(\S+)/.exec(cmdline)?.[1]}`);
  for (const file of tree(boot)) t.notMatch(read(boot, file), /correct horse/, `${file} does not hold the password`);

  const before = tree(boot).map((file) => [file, read(boot, file), statSync(join(boot, file)).mtimeMs]);
  const second = await site.provision(...args);
  t.match(second, { code: 0, output: /^line-01: known/ });
  t.same(
    tree(boot).map((file) => [file, read(boot, file), statSync(join(boot, file)).mtimeMs]),
    before,
    'not touched',
  );
});

t.test('the configuration is one that the agent takes', async (t) => {
  const site = new Site(t.testdir({}));
  const template = join(site.folder, 'agent.yaml');
  writeFileSync(
    template,
    '# ours\nbase: yard\ncamera:\n  source: simulated # for now\n  fps: 2\nbroker:\n  keepalive_s: 30\n',
  );
  t.equal((await site.provision('line-01', '--agent', template)).code, 0);
  const file = join(site.folder, 'site', 'cards', 'line-01', 'deepcod', 'agent.yaml');
  t.match(read(file), /# for now/);
  t.match(loadAgentConfig({ file }), {
    device: 'line-01',
    base: 'yard',
    broker: {
      url: 'mqtts://edge.local:8883',
      ca_file: '/etc/deepcod/ca.crt',
      cert_file: '/etc/deepcod/device.crt',
      key_file: '/etc/deepcod/device.key',
      keepalive_s: 30,
    },
    bundle: '/usr/lib/deepcod/models/onnx/worksite',
    camera: { source: 'simulated', fps: 2 },
    results: { folder: '/var/lib/deepcod/results' },
    profile: { file: '/var/lib/deepcod/profile.json' },
  });
  t.equal((await site.provision('line-02')).code, 0);
  t.equal(parse(read(site.folder, 'site/cards/line-02/deepcod/agent.yaml')).camera.source, 'rpicam');
});

t.test('a card for bookworm', async (t) => {
  const site = new Site(t.testdir({}));
  const boot = join(site.folder, 'boot');
  mkdirSync(boot);
  writeFileSync(join(boot, 'cmdline.txt'), freshCmdline);
  for (let i = 0; i < 2; i++) t.equal((await site.provision('line_01', '--os', 'bookworm', '--boot', boot)).code, 0);
  t.equal(
    read(boot, 'cmdline.txt'),
    `${freshCmdline.trim()} systemd.run=/boot/firmware/firstrun.sh systemd.run_success_action=reboot ` +
      'systemd.unit=kernel-command-line.target\n',
  );
  t.notOk(existsSync(join(boot, 'user-data')));
  t.match(read(boot, 'firstrun.sh'), /^#!\/bin\/sh\n[\s\S]+\nhost='line-01'\n/);
});

t.test('a batch: names, table, labels', async (t) => {
  const site = new Site(t.testdir({}));
  const out = join(site.folder, 'cards');
  const batch = (count: number) =>
    site.provision('--prefix', 'line-', '--count', String(count), '--out', out, '--json');
  const { code, output } = await batch(26);
  t.equal(code, 0);
  const { devices } = JSON.parse(output);
  t.equal(devices.length, 26);
  t.match(devices[0], { name: 'line-01', made: true, card: join(out, 'line-01') });
  const rows = read(out, 'devices.csv').trim().split('\n');
  t.equal(rows[0], 'name,serial,fingerprint_sha256,expires,folder');
  t.equal(rows.length, 27);
  const certificate = new X509Certificate(read(site.folder, 'site/devices/line-26/device.crt'));
  t.same(rows[26].split(',').slice(0, 3), ['line-26', certificate.serialNumber, certificate.fingerprint256]);
  t.equal(new Set(rows.slice(1).map((row) => row.split(',')[1])).size, 26);
  const labels = read(out, 'labels.html');
  t.equal(labels.match(/<svg /g)?.length, 26);
  t.equal(labels.match(/<section>/g)?.length, 2, '24 on a sheet');
  const keys = read(site.folder, 'site/devices/line-01/device.key').split('\n');
  t.notOk(labels.includes(keys[1]) || read(out, 'devices.csv').includes(keys[1]), 'no secret');
  t.equal(
    statSync(join(out, 'line-01/deepcod/deepcod_9.9.9_arm64.deb')).ino,
    statSync(site.deb).ino,
    'one package, not 26',
  );

  const more = JSON.parse((await batch(27)).output);
  t.same(
    more.devices.filter((device: { made: boolean }) => device.made).map(({ name }: { name: string }) => name),
    ['line-27'],
  );
});

t.test('a device that is replaced; keys that are damaged', async (t) => {
  const site = new Site(t.testdir({}));
  const own = join(site.folder, 'site', 'devices', 'line-01');
  await site.provision('line-01');
  const old = new X509Certificate(read(own, 'device.crt'));
  t.match(await site.provision('line-01', '--renew'), { code: 0, output: /^line-01: made/ });
  t.not(new X509Certificate(read(own, 'device.crt')).serialNumber, old.serialNumber);
  const aside = join(site.folder, 'site', 'replaced', `line-01-${old.serialNumber}`);
  t.same(readdirSync(aside), ['device.crt'], 'its key is gone');
  t.equal(new X509Certificate(read(aside, 'device.crt')).serialNumber, old.serialNumber);
  t.match(await site.provision('line-02', '--renew'), { code: 2, output: /holds no certificate/ });

  const key = read(own, 'device.key');
  writeFileSync(join(own, 'device.key'), read(site.folder, 'site', 'ca.key'));
  t.match(await site.provision('line-01'), { code: 2, output: /do not belong together\nNothing was changed/ });
  t.equal(read(own, 'device.key'), read(site.folder, 'site', 'ca.key'), 'never written over');
  rmSync(join(own, 'device.key'));
  t.match(await site.provision('line-01'), { code: 2, output: /only one of key and certificate/ });
  writeFileSync(join(own, 'device.key'), key, { mode: 0o600 });
  t.equal((await site.provision('line-01')).code, 0);
  chmodSync(join(site.folder, 'site', 'ca.key'), 0o644);
  t.match(await site.provision('line-03'), { code: 2, output: /others than its owner can read it/ });
});

t.test('what is refused, before anything is made', async (t) => {
  const site = new Site(t.testdir({ empty: {}, notboot: { 'cmdline.txt': 'a\nb\n' } }));
  const at = (name: string) => join(site.folder, name);
  writeFileSync(at('private'), '-----BEGIN OPENSSH PRIVATE KEY-----\n');
  writeFileSync(at('short'), '1234567');
  writeFileSync(at('unknown.yaml'), 'camera:\n  sauce: rpicam\n');
  writeFileSync(at('relative.yaml'), 'bundle: ../models/onnx/worksite\n');
  const cases: [string[], RegExp][] = [
    [[], /Which device\?/],
    [['edge'], /and not "edge"/],
    [['a b'], /1 to 64 of/],
    [['line-01', '--count', '3'], /Which device\?/],
    [['--count', '3'], /--prefix and --count/],
    [['line-01', '--boot', at('empty')], /no cmdline\.txt/],
    [['line-01', '--boot', at('notboot')], /not the one line with root=/],
    [['line-01', '--boot', at('empty'), '--out', at('out')], /only one/],
    [['--prefix', 'l', '--count', '2', '--boot', at('empty')], /one device at a time/],
    [['line-01', '--os', 'buster'], /allowed: trixie, bookworm/],
    [['line-01', '--wifi', 'Yard'], /--wifi-password-file/],
    [['line-01', '--wifi', 'Yard', '--wifi-password-file', at('password')], /--wifi-country/],
    [['line-01', '--wifi', 'x'.repeat(33), '--wifi-password-file', at('password')], /1 to 32 bytes/],
    [['line-01', '--wifi', 'Yard', '--wifi-password-file', at('short'), '--wifi-country', 'DE'], /8 to 63/],
    [['line-01', '--wifi', 'Yard', '--wifi-password-file', at('none'), '--wifi-country', 'DE'], /cannot be read/],
    [['line-01', '--ssh-key', at('private')], /public keys/],
    [['line-01', '--agent', at('none')], /--agent .*ENOENT/],
    [['line-01', '--agent', at('unknown.yaml')], /camera\.sauce/],
    [['line-01', '--agent', at('relative.yaml')], /needs the whole path/],
    [['line-01', '--package-sha256', '0'.repeat(64)], /its SHA-256 is/],
  ];
  for (const [args, message] of cases) {
    await t.rejects(run([...args, ...site.always]), { exitCode: 2, message }, args.join(' '));
  }
  t.notOk(existsSync(at('site')));
});
