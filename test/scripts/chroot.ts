import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const tried = spawnSync('unshare', ['--mount', 'true']);

/** Why no root of one's own can be made here, or false. */
export const withoutChroot =
  tried.status === 0 ? false : 'no mount namespaces here (not root?): scripts for devices are not run';

/** A root folder with this machine's programs, read-only, and everything else of its own. */
export class Chroot {
  /** @param folder empty, or a copy of another one's */
  constructor(
    readonly folder: string,
    isCopy = false,
  ) {
    if (isCopy) return;
    for (const dir of [
      'usr',
      'etc/systemd/system',
      'proc',
      'dev',
      'tmp',
      'var/cache',
      'run',
      'boot/firmware',
      'programs',
      'local/sbin',
    ]) {
      mkdirSync(join(folder, dir), { recursive: true });
    }
    for (const link of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${link}`, join(folder, link));
    this.write('etc/passwd', 'root:x:0:0::/root:/bin/sh\npi:x:1000:1000::/home/pi:/bin/bash\n');
    this.write('etc/group', 'root:x:0:\npi:x:1000:\ndeepcod:x:998:\nvideo:x:44:\n');
    this.write('etc/nsswitch.conf', 'passwd: files\ngroup: files\n');
  }

  write(path: string, content: string, mode = 0o644): void {
    const file = join(this.folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content, { mode });
  }

  /**
   * Puts a stand-in where a program of the device would be.
   * @param name file name, or an absolute path @param body of a shell script; every call is noted in /calls besides
   */
  standIn(name: string, body = ''): void {
    const path = name.startsWith('/') ? name : `programs/${name}`;
    this.write(path, `#!/bin/sh\necho "${name.replace(/.*\//, '')} $*" >>/calls\n${body}\n`, 0o755);
  }

  /** Runs a command in it. */
  run(...command: string[]): { code: number | null; output: string } {
    const script = [
      'set -e',
      'mount --make-rprivate /',
      'mount --bind /usr "$0/usr"',
      'mount -o remount,bind,ro "$0/usr"',
      // /usr/local is the device's own.
      'mount --bind "$0/local" "$0/usr/local"',
      'mount --rbind /dev "$0/dev"',
      'root="$0"',
      'exec chroot "$root" env -i PATH=/programs:/usr/sbin:/usr/bin HOME=/root "$@"',
    ].join('\n');
    const { status, stdout, stderr } = spawnSync('unshare', ['--mount', 'sh', '-c', script, this.folder, ...command], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    return { code: status, output: `${stdout}${stderr}` };
  }
}
