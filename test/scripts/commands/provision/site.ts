import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../../platform/process.js';

/** `deepcod provision` with what it always needs. */
export class Site {
  readonly deb: string;
  constructor(readonly folder: string) {
    this.deb = join(folder, 'deepcod_9.9.9_arm64.deb');
    writeFileSync(this.deb, 'a package');
    writeFileSync(join(folder, 'password'), 'correct horse\n');
    const { publicKey } = generateKeyPairSync('ed25519');
    writeFileSync(join(folder, 'site.pub.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
    writeFileSync(join(folder, 'id.pub'), `ssh-ed25519 ${'A'.repeat(68)} somebody@somewhere\n`);
  }
  get always(): string[] {
    return ['--site', join(this.folder, 'site'), '--broker', 'mqtts://edge.local:8883', '--package', this.deb];
  }
  async provision(...args: string[]): Promise<{ code: unknown; output: string }> {
    return run('scripts/deepcod.js', ['provision', ...args, ...this.always]);
  }
  wifi(ssid = 'Yard'): string[] {
    return ['--wifi', ssid, '--wifi-password-file', join(this.folder, 'password'), '--wifi-country', 'DE'];
  }
}

/** cmdline.txt of a fresh card. */
export const freshCmdline =
  'console=serial0,115200 console=tty1 root=PARTUUID=4e639091-02 rootfstype=ext4 fsck.repair=yes rootwait quiet ' +
  'init=/usr/lib/raspberrypi-sys-mods/firstboot\n';
