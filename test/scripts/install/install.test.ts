import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../../platform/root.js';

/** A machine of its own: dpkg and apt-get are stand-ins that keep what is installed in a file. */
class Machine {
  constructor(
    readonly folder: string,
    architecture = 'arm64',
    os = 'ID=debian\nVERSION_CODENAME=trixie\n',
  ) {
    mkdirSync(join(folder, 'etc'), { recursive: true });
    mkdirSync(join(folder, 'programs'));
    writeFileSync(join(folder, 'etc/os-release'), os);
    writeFileSync(join(folder, 'installed'), '');
    const program = (name: string, body: string) =>
      writeFileSync(join(folder, 'programs', name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    program('dpkg', `echo ${architecture}`);
    // A package is a file of three lines: name, version, architecture.
    program(
      'dpkg-deb',
      '[ "$(head -c7 "$2")" = deepcod ] || [ "$(head -c5 "$2")" = other ] || exit 2\ncase "$3" in Package) n=1 ;; Version) n=2 ;; *) n=3 ;; esac\nsed -n "$n"p "$2"',
    );
    program('dpkg-query', `[ -s "$HOME/installed" ] || exit 1\nprintf 'ii |%s\\n' "$(cat "$HOME/installed")"`);
    program(
      'apt-get',
      'for last; do :; done\necho "apt-get $*" >>"$HOME/calls"\ncase "$*" in\n' +
        '*install*) case "$(sed -n 2p "$last")" in *bad*) exit 100 ;; esac; sed -n 2p "$last" >"$HOME/installed" ;;\n' +
        '*remove* | *purge*) : >"$HOME/installed" ;;\nesac',
    );
  }

  package(version: string, { architecture = 'arm64', name = 'deepcod' } = {}): string {
    const file = join(this.folder, `deepcod_${version}_${architecture}.deb`);
    writeFileSync(file, `${name}\n${version}\n${architecture}\n`);
    return file;
  }

  get installed(): string {
    return readFileSync(join(this.folder, 'installed'), 'utf8').trim();
  }

  install(...args: string[]): { code: number | null; output: string } {
    const { status, stdout, stderr } = spawnSync(join(packageRoot(), 'scripts', 'install'), args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        HOME: this.folder,
        DEEPCOD_INSTALL_ROOT: this.folder,
        PATH: `${join(this.folder, 'programs')}:${process.env.PATH}`,
      },
    });
    return { code: status, output: `${stdout}${stderr}` };
  }
}

t.test('install, again, upgrade, back, forth, away', async (t) => {
  const machine = new Machine(t.testdir({}));
  const one = machine.package('1.0.0');
  t.match(machine.install('--yes', '--package', one), {
    code: 0,
    output: /nothing to check it against[\s\S]*deepcod 1\.0\.0 is installed\.\nNothing runs yet/,
  });
  t.match(machine.install('--yes', '--package', one), { code: 0, output: /is installed already/ });
  t.equal(readFileSync(join(machine.folder, 'calls'), 'utf8').trim().split('\n').length, 1, 'nothing was done twice');
  t.match(machine.install('--yes', '--rollback'), { code: 2, output: /no version to go back to/ });

  writeFileSync(join(machine.folder, 'etc/deepcod'), '');
  t.match(machine.install('--yes', '--package', machine.package('2.0.0')), { code: 0 });
  t.equal(machine.installed, '2.0.0');
  t.match(machine.install('--yes', '--rollback'), { code: 0, output: /deepcod 1\.0\.0 is installed/ });
  t.equal(machine.installed, '1.0.0');
  t.match(machine.install('--yes', '--rollback'), { code: 0 });
  t.equal(machine.installed, '2.0.0');

  t.match(machine.install('--yes', '--package', machine.package('3.0.0-bad')), {
    code: 1,
    output: /going back to 2\.0\.0[\s\S]*3\.0\.0-bad was not installed/,
  });
  t.equal(machine.installed, '2.0.0');
  t.match(machine.install('--yes', '--rollback'), { code: 0 });
  t.equal(machine.installed, '1.0.0', 'what failed is nothing to go back to');

  t.match(machine.install('--yes', '--uninstall'), { code: 0, output: /etc\/deepcod and \/var\/lib\/deepcod stay/ });
  t.equal(machine.installed, '');
  t.notOk(existsSync(join(machine.folder, 'var/lib/deepcod-install')));
  t.match(machine.install('--yes', '--uninstall', '--purge'), { code: 0, output: /not installed/ });
});

t.test('what is not what it should be is not installed', async (t) => {
  const machine = new Machine(t.testdir({}));
  const deb = machine.package('1.0.0');
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const key = join(machine.folder, 'key.pem');
  writeFileSync(key, publicKey.export({ type: 'spki', format: 'pem' }));
  const refused = (args: string[], output: RegExp) => {
    t.match(machine.install('--yes', ...args), { code: 2, output }, args.join(' '));
    t.equal(machine.installed, '');
  };
  refused(['--package', join(machine.folder, 'none.deb')], /no such file/);
  refused(['--package', key], /no Debian package/);
  refused(['--package', machine.package('1.0.0', { architecture: 'amd64' })], /is for amd64; this machine is arm64/);
  refused(['--package', deb, '--sha256', '0'.repeat(64)], /its SHA-256 is/);
  refused(['--package', deb, '--key', key], /no signature/);
  writeFileSync(`${deb}.sig`, sign(null, Buffer.from('another'), privateKey));
  refused(['--package', deb, '--key', key], /not signed by the owner/);
  writeFileSync(`${deb}.sha256`, `${'0'.repeat(64)}  deepcod\n`);
  refused(['--package', deb], /not what .*\.sha256 says/);
  refused(['--package', machine.package('1.0.0', { name: 'other' })], /that is other/);

  machine.package('1.0.0');
  writeFileSync(`${deb}.sig`, sign(null, readFileSync(deb), privateKey));
  writeFileSync(`${deb}.sha256`, `${spawnSync('sha256sum', [deb], { encoding: 'utf8' }).stdout}`);
  t.match(machine.install('--yes', '--package', deb, '--key', key), { code: 0 });
  t.equal(machine.installed, '1.0.0');
});

t.test('machines and command lines that it refuses', async (t) => {
  const at = (name: string) => join(t.testdirName, name);
  t.testdir({});
  const deb = ['--yes', '--package', 'x.deb'];
  t.match(new Machine(at('32'), 'armhf').install(...deb), {
    code: 2,
    output: /32-bit system \(armhf\).*Flash Raspberry Pi OS \(64-bit\)/,
  });
  t.match(new Machine(at('risc'), 'riscv64').install(...deb), { code: 2, output: /arm64 and amd64 only/ });
  for (const [name, release] of [
    ['bullseye', 'ID=debian\nVERSION_CODENAME=bullseye\n'],
    ['ubuntu', 'ID=ubuntu\nVERSION_CODENAME=noble\n'],
    ['none', ''],
  ]) {
    t.match(new Machine(at(name), 'arm64', release).install(...deb), {
      code: 2,
      output: /made for Raspberry Pi OS and Debian/,
    });
  }
  const machine = new Machine(at('good'));
  const known = machine.package('1.0.0');
  t.match(machine.install('--package', known), { code: 2, output: /Say --yes where nobody can answer/ });
  t.match(machine.install('--pakage', 'x'), { code: 2, output: /--help lists them/ });
  t.match(machine.install('--purge'), { code: 2, output: /only with --uninstall/ });
  t.match(machine.install('--rollback', '--package', known), { code: 2, output: /not with --rollback/ });
  t.match(machine.install('--help'), { code: 0, output: /^Installs DeepCOD[\s\S]*Exit codes/ });
  t.equal(machine.installed, '');
});
