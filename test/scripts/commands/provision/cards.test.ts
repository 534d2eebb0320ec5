import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { packageRoot } from '../../../../platform/root.js';
import { cloudInitFiles, type FirstBoot } from '../../../../scripts/commands/provision/cloud-init.js';
import { withWords } from '../../../../scripts/commands/provision/cmdline.js';
import { firstrunFiles, firstrunWords } from '../../../../scripts/commands/provision/firstrun.js';
import { labelSheets, labelText } from '../../../../scripts/commands/provision/labels.js';
import { deviceNames, hostName } from '../../../../scripts/commands/provision/names.js';
import { preSharedKey } from '../../../../scripts/commands/provision/wifi.js';

const sshKeys = [`ssh-ed25519 ${'A'.repeat(68)} it's me`];
/** Names that YAML, a shell or a table might misread. */
const ssids = ['Yard', 'Yard "7" ü', "it's", 'yes', '12345678', '0x10', 'a: b', '$(reboot)', '-h', '\\', '#1', '*a'];
const starts: FirstBoot[] = [
  { host: 'line-01', instance: 'deepcod-line-01-aa', sshKeys: [] },
  ...ssids.map((ssid) => ({
    ...{ host: 'line-01', instance: 'deepcod-line-01-aa', sshKeys },
    wifi: { ssid, psk: 'f'.repeat(64), country: 'DE' },
  })),
];
const text = (files: { path: string; content: unknown }[], path: string) =>
  String(files.find((file) => file.path === path)?.content);

t.test('pre-shared keys are those of IEEE 802.11i, H.4', async (t) => {
  t.equal(preSharedKey('password', 'IEEE'), 'f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e');
  t.equal(
    preSharedKey('ThisIsAPassword', 'ThisIsASSID'),
    '0dc0d6eb90555ed6419756b9a15ec3e3209b63df707dd508d14581f8982721af',
  );
});

t.test('names', async (t) => {
  t.same(deviceNames(undefined, 'line-', 100).slice(98), ['line-99', 'line-100']);
  t.equal(deviceNames(undefined, 'line-', 100)[0], deviceNames(undefined, 'line-', 5)[0]);
  t.equal(hostName('Yard_1'), 'yard-1');
  t.equal(hostName('_'), 'deepcod');
  t.ok(hostName('x'.repeat(64)).length <= 63);
});

t.test('the command line stays one line', async (t) => {
  const line = 'console=tty1 root=PARTUUID=1-02 rootwait';
  for (const text of [line, `${line}\n`, `${line}\r\n`, ` ${line}  \n\n`]) {
    const once = withWords(text, firstrunWords);
    t.equal(once, `${line} ${firstrunWords.join(' ')}\n`);
    t.equal(withWords(once, firstrunWords), once);
  }
  const imager = `${line} ds=nocloud;i=rpi-imager-1 cfg80211.ieee80211_regdom=GB`;
  t.equal(
    withWords(imager, ['ds=nocloud;i=deepcod-a-1', 'cfg80211.ieee80211_regdom=DE']),
    `${line} ds=nocloud;i=deepcod-a-1 cfg80211.ieee80211_regdom=DE\n`,
    'Imager’s words make room: they would win over meta-data',
  );
  for (const text of ['', '\n', 'a\nb\n', 'quiet\n']) t.throws(() => withWords(text, []), { code: 'usage' });
});

t.test('cloud-init’s files say what was meant', async (t) => {
  for (const start of starts) {
    const files = cloudInitFiles(start);
    const user = parse(text(files, 'user-data'), { version: '1.1' });
    t.match(user, { hostname: 'line-01', ssh_pwauth: false, users: [{ name: 'pi', lock_passwd: true }] });
    t.same(user.users[0].ssh_authorized_keys, start.sshKeys.length > 0 ? start.sshKeys : undefined);
    const { network } = parse(text(files, 'network-config'), { version: '1.1' });
    t.same(network.wifis?.wlan0['access-points'], start.wifi && { [start.wifi.ssid]: { password: 'f'.repeat(64) } });
  }
});

const withoutCloudInit = spawnSync('cloud-init', ['--version']).error ? 'cloud-init is not installed' : false;
t.test('cloud-init’s schema takes user-data', { skip: withoutCloudInit }, async (t) => {
  const dir = t.testdir({});
  const check = (content: string) => {
    writeFileSync(join(dir, 'user-data'), content);
    const { status, stdout, stderr } = spawnSync('cloud-init', ['schema', '--config-file', join(dir, 'user-data')], {
      encoding: 'utf8',
    });
    return { status, output: stdout + stderr };
  };
  const userData = text(cloudInitFiles(starts[1]), 'user-data');
  t.match(check(userData), { status: 0 });
  t.match(check(userData.replace('lock_passwd: true', 'lock_passwd: maybe')), { status: 1 }, 'it can say no');
});

const withoutShellcheck = spawnSync('shellcheck', ['--version']).error ? 'shellcheck is not installed' : false;
t.test(
  'scripts for devices are scripts',
  { skip: spawnSync('bash', ['-c', '']).error ? 'no bash' : false },
  async (t) => {
    const dir = t.testdir({});
    const scripts = starts.map((start, index) => {
      const file = join(dir, `firstrun-${index}.sh`);
      writeFileSync(file, text(firstrunFiles(start), 'firstrun.sh'));
      return file;
    });
    const root = packageRoot();
    const ours = [
      ...['packaging/first-boot/deepcod-first-boot', 'packaging/debian/postinst', 'packaging/debian/prerm'],
      ...[
        'packaging/debian/postrm',
        'packaging/debian/deepcod.sh',
        'packaging/build',
        'packaging/prune',
        'scripts/install',
      ],
      'scripts/test-package',
    ].map((file) => join(root, file));
    for (const file of [...scripts, ...ours]) t.equal(spawnSync('bash', ['-n', file]).status, 0, file);
    if (withoutShellcheck) return t.comment(withoutShellcheck);
    const checked = spawnSync('shellcheck', ['-x', '--severity=warning', ...scripts, ...ours], {
      cwd: root,
      encoding: 'utf8',
    });
    t.equal(checked.status, 0, checked.stdout);
  },
);

t.test('labels: text is escaped, the code says name and fingerprint', async (t) => {
  const device = { name: 'line-01', fingerprint: 'AB:CD:EF:01:23:45:67:89:AA', expires: '2036-01-02T00:00:00.000Z' };
  t.equal(labelText(device), 'deepcod line-01 abcdef0123456789');
  mkdirSync(t.testdirName, { recursive: true });
  const html = await labelSheets([device as Parameters<typeof labelSheets>[0][0]]);
  t.match(html, /<b>line-01<\/b><span>abcd ef01 2345 6789<\/span><span>until 2036-01-02<\/span>/);
});
