import { stringify } from 'yaml';
import type { BootFile } from './payload.js';
import type { Wifi } from './wifi.js';

export interface FirstBoot {
  host: string;
  /** Another one is another machine to cloud-init, which then sets everything up anew. */
  instance: string;
  /** Lines of authorized_keys; without any nobody can log in. */
  sshKeys: string[];
  wifi?: Wifi;
}

const groups = 'users,adm,dialout,audio,netdev,video,plugdev,cdrom,games,input,gpio,spi,i2c,render,sudo';

const payload = '/boot/firmware/deepcod';

/** At every start until the first boot has succeeded. All of it is on the disk before `runcmd`, which may start but once. */
const untilDone = `[ ! -f ${payload}/agent.yaml ] || {
  install -m 755 ${payload}/deepcod-first-boot /usr/local/sbin/deepcod-first-boot
  install -m 644 ${payload}/deepcod-first-boot.service /etc/systemd/system/
  systemctl daemon-reload
  sync
  systemctl enable deepcod-first-boot.service
  sync
}`;

/** What Raspberry Pi OS trixie's cloud-init reads from the boot partition (NoCloud), as Raspberry Pi Imager 2 writes it. */
export function cloudInitFiles({ host, instance, sshKeys, wifi }: FirstBoot): BootFile[] {
  const userData = {
    hostname: host,
    manage_etc_hosts: true,
    ssh_pwauth: false,
    users: [
      {
        name: 'pi',
        groups,
        shell: '/bin/bash',
        lock_passwd: true,
        ...(sshKeys.length > 0 && { ssh_authorized_keys: sshKeys, sudo: 'ALL=(ALL) NOPASSWD:ALL' }),
      },
    ],
    bootcmd: [
      // The wizard that asks for a user's name on a screen that is not there would hold up everything after it.
      [
        'cloud-init-per',
        'instance',
        'deepcod-no-wizard',
        'systemctl',
        'mask',
        '--now',
        '--no-block',
        'userconfig.service',
      ],
      ...(wifi ? [['cloud-init-per', 'instance', 'deepcod-radio', 'rfkill', 'unblock', 'wifi']] : []),
      ...(sshKeys.length > 0
        ? [['cloud-init-per', 'instance', 'deepcod-ssh', 'systemctl', 'enable', 'ssh.service']]
        : []),
      ['sh', '-c', untilDone],
    ],
    // Not run again where the power failed in the middle of it: only what starts sooner by it may be here.
    runcmd: [
      ...(sshKeys.length > 0 ? [['systemctl', 'start', '--no-block', 'ssh.service']] : []),
      ['systemctl', 'start', '--no-block', 'deepcod-first-boot.service'],
    ],
  };
  const network = {
    network: {
      version: 2,
      ethernets: { eth0: { dhcp4: true, dhcp6: true, optional: true } },
      ...(wifi && {
        wifis: {
          wlan0: {
            dhcp4: true,
            dhcp6: true,
            optional: true,
            'regulatory-domain': wifi.country,
            'access-points': { [wifi.ssid]: { password: wifi.psk } },
          },
        },
      }),
    },
  };
  const yaml = (value: unknown) =>
    stringify(value, { lineWidth: 0, defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN', compat: 'yaml-1.1' });
  return [
    { path: 'meta-data', content: `instance-id: ${instance}\n` },
    { path: 'network-config', content: yaml(network) },
    { path: 'user-data', content: `#cloud-config\n${yaml(userData)}` },
  ];
}

/** Words for the kernel's command line: Imager's `ds=` would win over meta-data. */
export function cloudInitWords({ instance, wifi }: FirstBoot): string[] {
  return [`ds=nocloud;i=${instance}`, ...(wifi ? [`cfg80211.ieee80211_regdom=${wifi.country}`] : [])];
}
