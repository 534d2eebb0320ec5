import { createHash } from 'node:crypto';
import type { FirstBoot } from './cloud-init.js';
import { type BootFile, shellQuote } from './payload.js';

/**
 * The script that Raspberry Pi OS bookworm runs once, as Raspberry Pi Imager 1 used it: before any network, then it reboots.
 * Whatever happens it ends well and takes itself off the command line, or the device would never get past it.
 */
export function firstrunFiles({ host, sshKeys, wifi }: FirstBoot): BootFile[] {
  const lines = [
    '#!/bin/sh',
    '# Made by deepcod provision. Runs once, as root, before the first normal start.',
    'set -u',
    'boot=/boot/firmware',
    'custom=/usr/lib/raspberrypi-sys-mods/imager_custom',
    'log() { echo "$(date -u +%FT%TZ) firstrun: $*" >>"$boot/deepcod/first-boot.log"; }',
    'try() { "$@" || log "failed: $1 $2"; }',
    '',
    `host=${shellQuote(host)}`,
    'if [ -x "$custom" ]; then',
    '  try "$custom" set_hostname "$host"',
    'else',
    '  echo "$host" >/etc/hostname',
    '  sed -i "s/^127\\.0\\.1\\.1.*/127.0.1.1\\t$host/" /etc/hosts',
    'fi',
    '',
    '# Without a user of its own the system would ask for one on a screen that is not there.',
    'if [ -x /usr/lib/userconf-pi/userconf ]; then try /usr/lib/userconf-pi/userconf pi "!"; fi',
    ...sshLines(sshKeys),
    ...(wifi
      ? [
          '',
          'if command -v raspi-config >/dev/null; then try raspi-config nonint do_wifi_country ' +
            wifi.country +
            '; fi',
          'if command -v rfkill >/dev/null; then try rfkill unblock wifi; fi',
          'networks=/etc/NetworkManager/system-connections',
          'mkdir -p "$networks"',
          '( umask 077; cat >"$networks/deepcod-wifi.nmconnection" <<\'EOF\'',
          '[connection]',
          'id=deepcod-wifi',
          `uuid=${uuidOf(wifi.ssid)}`,
          'type=wifi',
          '[wifi]',
          'mode=infrastructure',
          // Bytes: any name can be written like this.
          `ssid=${[...Buffer.from(wifi.ssid)].map((byte) => `${byte};`).join('')}`,
          '[wifi-security]',
          'key-mgmt=wpa-psk',
          `psk=${wifi.psk}`,
          '[ipv4]',
          'method=auto',
          '[ipv6]',
          'method=auto',
          'EOF',
          ')',
        ]
      : []),
    '',
    'try install -m 755 "$boot/deepcod/deepcod-first-boot" /usr/local/sbin/deepcod-first-boot',
    'try install -m 644 "$boot/deepcod/deepcod-first-boot.service" /etc/systemd/system/deepcod-first-boot.service',
    'try systemctl enable deepcod-first-boot.service',
    '',
    'log "done"',
    '# Power may fail here too: what was done is on the disk before the line that asks for it goes, and the script goes last.',
    'sync',
    'sed -E \'s/ ?systemd\\.(run|run_success_action|unit)=[^ ]*//g\' "$boot/cmdline.txt" >"$boot/cmdline.new"',
    'sync',
    '[ ! -s "$boot/cmdline.new" ] || mv "$boot/cmdline.new" "$boot/cmdline.txt"',
    'sync',
    'rm -f "$boot/firstrun.sh"',
    'sync',
    'exit 0',
    '',
  ];
  return [{ path: 'firstrun.sh', content: lines.join('\n') }];
}

/** Words for the kernel's command line. The path is where bookworm mounts the partition; Imager's shorter one is rewritten. */
export const firstrunWords = [
  'systemd.run=/boot/firmware/firstrun.sh',
  'systemd.run_success_action=reboot',
  'systemd.unit=kernel-command-line.target',
];

function sshLines(keys: string[]): string[] {
  if (keys.length === 0) return [];
  const args = keys.map(shellQuote).join(' ');
  return [
    '',
    'if [ -x "$custom" ]; then',
    `  try "$custom" enable_ssh -k ${args}`,
    'else',
    '  home=$(getent passwd pi | cut -d: -f6)',
    '  install -d -m 700 -o pi -g pi "$home/.ssh"',
    `  printf '%s\\n' ${args} >"$home/.ssh/authorized_keys"`,
    '  chown pi:pi "$home/.ssh/authorized_keys"',
    '  try systemctl enable ssh.service',
    'fi',
  ];
}

/** Always the same for a network: a second run writes the same file. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(`deepcod wifi ${text}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-9${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
