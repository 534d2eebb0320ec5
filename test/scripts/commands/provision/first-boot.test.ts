import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { Chroot, withoutChroot } from '../../chroot.js';
import { freshCmdline, Site } from './site.js';

/** A device with a provisioned card in it. */
async function device(site: Site, os: string): Promise<Chroot> {
  const root = new Chroot(join(site.folder, 'root'));
  root.write('boot/firmware/cmdline.txt', freshCmdline);
  const key = ['--ssh-key', join(site.folder, 'id.pub'), '--update-key', join(site.folder, 'site.pub.pem')];
  const boot = join(root.folder, 'boot/firmware');
  const { code, output } = await site.provision(
    'line-01',
    '--os',
    os,
    '--boot',
    boot,
    ...site.wifi('Yard "7"'),
    ...key,
  );
  if (code !== 0) throw new Error(output);
  root.write('etc/hostname', 'raspberrypi\n');
  root.write('etc/hosts', '127.0.0.1 localhost\n127.0.1.1\traspberrypi\n');
  for (const name of ['systemctl', 'dpkg', 'dpkg-query', 'raspi-config', 'rfkill', 'curl']) root.standIn(name);
  root.standIn('apt-get', 'mkdir -p /etc/deepcod');
  // A test must not set this machine's clock.
  root.standIn('date', 'case "$1" in -s) echo "$2" >/clock ;; *) exec /usr/bin/date "$@" ;; esac');
  return root;
}

t.test('firstrun.sh on bookworm', { skip: withoutChroot }, async (t) => {
  for (const withImager of [false, true]) {
    const site = new Site(t.testdir({}));
    const root = await device(site, 'bookworm');
    const custom = '/local/lib/imager_custom';
    if (withImager) {
      root.standIn(custom);
      const script = join(root.folder, 'boot/firmware/firstrun.sh');
      const text = readFileSync(script, 'utf8').replace('/usr/lib/raspberrypi-sys-mods/imager_custom', custom);
      root.write('boot/firmware/firstrun.sh', text);
    }
    const at = (path: string) => join(root.folder, path);
    const read = (path: string) => readFileSync(at(path), 'utf8');
    t.same(root.run('sh', '/boot/firmware/firstrun.sh'), { code: 0, output: '' });
    if (withImager)
      t.match(read('calls'), /imager_custom set_hostname line-01\nimager_custom enable_ssh -k ssh-ed25519 A+ somebody/);
    else {
      t.equal(read('etc/hostname'), 'line-01\n');
      t.equal(read('etc/hosts'), '127.0.0.1 localhost\n127.0.1.1\tline-01\n');
      t.match(read('home/pi/.ssh/authorized_keys'), /^ssh-ed25519 /);
    }
    t.match(
      read('calls'),
      /raspi-config nonint do_wifi_country DE\nrfkill unblock wifi\n[\s\S]*systemctl enable deepcod-first-boot/,
    );
    const network = 'etc/NetworkManager/system-connections/deepcod-wifi.nmconnection';
    t.match(read(network), /\nssid=89;97;114;100;32;34;55;34;\n[\s\S]*\npsk=[0-9a-f]{64}\n/);
    t.equal(statSync(at(network)).mode & 0o777, 0o600, 'NetworkManager refuses others');
    t.equal(statSync(at('local/sbin/deepcod-first-boot')).mode & 0o777, 0o755);
    t.ok(existsSync(at('etc/systemd/system/deepcod-first-boot.service')));
    t.equal(read('boot/firmware/cmdline.txt'), freshCmdline, 'the line is as it was');
    t.notOk(existsSync(at('boot/firmware/firstrun.sh')));
    t.match(read('boot/firmware/deepcod/first-boot.log'), /firstrun: done\n$/);
  }
});

t.test('the first boot installs, sets up, starts, and wipes the card', { skip: withoutChroot }, async (t) => {
  const site = new Site(t.testdir({}));
  const root = await device(site, 'trixie');
  const at = (path: string) => join(root.folder, path);
  const read = (path: string) => readFileSync(at(path), 'utf8');
  root.write('sys/class/leds/ACT/trigger', '');
  root.standIn('dpkg-query', 'echo deepcod 9.9.9');
  cpSync(at('boot/firmware/deepcod/deepcod-first-boot'), at('local/sbin/deepcod-first-boot'));
  const firstBoot = () => root.run('sh', '/usr/local/sbin/deepcod-first-boot');

  // A network that fails once: nothing is lost, the light says so.
  root.standIn('apt-get', 'exit 100');
  t.match(firstBoot(), { code: 100, output: /trying again/ });
  t.equal(read('sys/class/leds/ACT/trigger'), 'timer\n');
  t.ok(existsSync(at('boot/firmware/deepcod/agent.yaml')));
  t.notOk(existsSync(at('etc/deepcod')));

  root.standIn('apt-get', 'mkdir -p /etc/deepcod');
  root.write('calls', '');
  const done = firstBoot();
  t.match(done, { code: 0, output: /installing deepcod_9\.9\.9_arm64\.deb\nline-01 is set up: deepcod 9\.9\.9\n/ });
  t.match(
    read('calls'),
    /dpkg --configure -a\napt-get -y .* install \/var\/cache\/deepcod-first-boot\/deepcod_9\.9\.9_arm64\.deb\n[\s\S]*systemctl enable deepcod-agent\.service\nsystemctl restart --no-block deepcod-agent/,
  );
  t.equal(read('etc/deepcod/device.key'), readFileSync(join(site.folder, 'site/devices/line-01/device.key'), 'utf8'));
  t.equal(statSync(at('etc/deepcod/device.key')).mode & 0o777, 0o640);
  t.equal(statSync(at('etc/deepcod/device.key')).gid, 998, 'the service’s group');
  t.match(read('etc/deepcod/agent.yaml'), /^device: line-01\n/);
  t.match(parse(read('etc/deepcod/agent.yaml')).update, {
    keys: '/etc/deepcod/update-key.pem',
    folder: '/var/lib/deepcod/update',
  });
  t.equal(read('etc/deepcod/update-key.pem'), readFileSync(join(site.folder, 'site.pub.pem'), 'utf8'));
  for (const gone of ['device.key', 'agent.yaml', 'deepcod_9.9.9_arm64.deb']) {
    t.notOk(existsSync(at(`boot/firmware/deepcod/${gone}`)), `${gone} is off the card`);
  }
  t.equal(read('sys/class/leds/ACT/trigger'), 'mmc0\n');
  t.match(read('calls'), /systemctl disable deepcod-first-boot\.service\n$/);
  t.match(firstBoot(), { code: 0, output: /nothing to do/ });
});

t.test(
  'cloud-init enables the first boot at every start until it has succeeded',
  { skip: withoutChroot },
  async (t) => {
    const site = new Site(t.testdir({}));
    const root = await device(site, 'trixie');
    const at = (path: string) => join(root.folder, path);
    const user = parse(readFileSync(at('boot/firmware/user-data'), 'utf8'), { version: '1.1' });
    const start = () => {
      root.write('calls', '');
      for (const [command, ...args] of user.bootcmd.slice(-1)) t.equal(root.run(command, ...args).code, 0);
      return readFileSync(at('calls'), 'utf8');
    };
    for (const which of ['first', 'second'])
      t.equal(start(), 'systemctl daemon-reload\nsystemctl enable deepcod-first-boot.service\n', which);
    t.equal(statSync(at('local/sbin/deepcod-first-boot')).mode & 0o777, 0o755);
    t.ok(existsSync(at('etc/systemd/system/deepcod-first-boot.service')));
    rmSync(at('boot/firmware/deepcod/agent.yaml'));
    t.equal(start(), '', 'all is done');
    t.notMatch(JSON.stringify(user.runcmd), /enable|install/, 'nothing there that must not be interrupted');
  },
);

t.test('a clock that is behind, and a package that was changed', { skip: withoutChroot }, async (t) => {
  const site = new Site(t.testdir({}));
  const root = await device(site, 'trixie');
  root.standIn('date', 'case "$1" in -s) echo "$2" >/clock ;; +%s) echo 1000 ;; *) exec /usr/bin/date "$@" ;; esac');
  root.write('boot/firmware/deepcod/deepcod_9.9.9_arm64.deb', 'another');
  const { code, output } = root.run('sh', '/boot/firmware/deepcod/deepcod-first-boot');
  t.equal(code, 1);
  t.match(output, /the clock was behind[\s\S]*missing or not what was provisioned/);
  const set = Number(readFileSync(join(root.folder, 'clock'), 'utf8').slice(1));
  t.ok(Math.abs(set - Date.now() / 1000) < 600, 'to the time of provisioning');
  t.notMatch(readFileSync(join(root.folder, 'calls'), 'utf8'), /apt-get/);
});

/** Runs a script of the device, and kills it before its nth command. @returns whether it came that far */
function killedAt(root: Chroot, n: number, script: string): boolean {
  const trap = `n=0; set -T; trap 'n=$((n + 1)); [ $n -ne ${n} ] || kill -9 $$' DEBUG; . ${script}`;
  const { code, output } = root.run('bash', '-c', trap);
  // A process that a signal ended has no exit code.
  if (code) throw new Error(`${code}: ${output}`);
  return code === null;
}

/** Devices like a fresh one, each killed before another command of a script. */
function* eachKilled(fresh: Chroot, script: string): Generator<{ n: number; root: Chroot }> {
  for (let n = 1; ; n++) {
    const folder = `${fresh.folder}-killed-${n}`;
    cpSync(fresh.folder, folder, { recursive: true, verbatimSymlinks: true });
    const root = new Chroot(folder, true);
    if (!killedAt(root, n, script)) return;
    yield { n, root };
  }
}

t.test('killed before each command of the first boot, it sets up the device', { skip: withoutChroot }, async (t) => {
  const site = new Site(t.testdir({}));
  const fresh = await device(site, 'trixie');
  fresh.standIn('dpkg-query', 'echo deepcod 9.9.9');
  const payload = readdirSync(join(fresh.folder, 'boot/firmware/deepcod'));
  const script = '/boot/firmware/deepcod/deepcod-first-boot';
  let kills = 0;
  for (const { n, root } of eachKilled(fresh, script)) {
    kills++;
    const next = root.run('sh', script);
    const at = (path: string) => join(root.folder, path);
    const set = ['ca.crt', 'device.crt', 'device.key', 'agent.yaml', 'update-key.pem'];
    const left = readdirSync(at('boot/firmware/deepcod'));
    const isWhole = set.every(
      (file) =>
        readFileSync(at(`etc/deepcod/${file}`), 'utf8') ===
        readFileSync(join(fresh.folder, 'boot/firmware/deepcod', file), 'utf8'),
    );
    t.same(
      [
        next.code,
        isWhole,
        readdirSync(at('etc/deepcod')).length,
        left.includes('agent.yaml'),
        left.includes('device.key'),
      ],
      [0, true, set.length, false, false],
      `before command ${n}: ${next.output}`,
    );
    t.notOk(left.some((file) => file.endsWith('.deb')));
    t.match(readFileSync(at('calls'), 'utf8'), /systemctl disable deepcod-first-boot\.service\n$/);
  }
  t.ok(kills > 30, `${kills} commands`);
  t.ok(payload.includes('device.key'), 'there was something to lose');
});

t.test(
  'killed before each command of firstrun.sh, the card starts, and is done in the end',
  { skip: withoutChroot },
  async (t) => {
    const site = new Site(t.testdir({}));
    const fresh = await device(site, 'bookworm');
    const script = '/boot/firmware/firstrun.sh';
    let kills = 0;
    for (const { n, root } of eachKilled(fresh, script)) {
      kills++;
      const at = (path: string) => join(root.folder, path);
      const line = () => readFileSync(at('boot/firmware/cmdline.txt'), 'utf8');
      const asks = line() !== freshCmdline;
      t.match(line(), /^console=.* root=PARTUUID=\S+ [^\n]+\n$/);
      if (asks) {
        t.ok(existsSync(at(script)), `before command ${n}: what the line names is there`);
        t.equal(root.run('sh', script).code, 0);
      }
      t.equal(line(), freshCmdline);
      t.equal(readFileSync(at('etc/hostname'), 'utf8'), 'line-01\n');
      t.equal(
        statSync(at('local/sbin/deepcod-first-boot')).size,
        statSync(at('boot/firmware/deepcod/deepcod-first-boot')).size,
      );
      t.match(readFileSync(at('calls'), 'utf8'), /systemctl enable deepcod-first-boot/);
    }
    t.ok(kills > 20, `${kills} commands`);
  },
);
