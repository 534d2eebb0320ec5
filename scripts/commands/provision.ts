import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readTrustedKeys } from '../../agent/update/keys.js';
import { ExitCode } from '../../platform/errors.js';
import { usageError } from '../../platform/main.js';
import { flag, numberOption, parseOptionsAndNames, text } from '../../platform/options.js';
import { openSiteCa } from '../../platform/pki.js';
import { agentYaml } from './provision/agent-yaml.js';
import { addWords, writeFiles } from './provision/boot-folder.js';
import { cloudInitFiles, cloudInitWords, type FirstBoot } from './provision/cloud-init.js';
import { firstrunFiles, firstrunWords } from './provision/firstrun.js';
import { type Identity, identityOf, putAside } from './provision/identity.js';
import { deviceTable, labelSheets } from './provision/labels.js';
import { deviceNames, hostName } from './provision/names.js';
import { packageOf } from './provision/package.js';
import { payload } from './provision/payload.js';
import { wifiOf } from './provision/wifi.js';

export const usage = `usage: ./scripts/deepcod provision NAME --site DIR --broker URL [options]
       ./scripts/deepcod provision --prefix line- --count 50 --site DIR --broker URL --out DIR [options]

Makes devices of freshly flashed cards: key and certificate from the site's own authority, configuration, and what Raspberry
Pi OS reads when it starts for the first time. Run again, it writes the same; a key is never made twice.

  NAME                    the device; at the broker it has this name
  --prefix P --count N    instead: P01 to PN, with a table (devices.csv) and labels to print (labels.html)
  --site DIR              the site: its authority (ca.crt, ca.key), made at the first use, and everybody's certificates.
                          Keep a copy of it, and keep it secret
  --broker URL            mqtts://host:8883, as the devices reach it
  --agent FILE            configuration that all devices share (agent.yaml without device and broker)
  --boot DIR              the card's mounted boot partition
  --out DIR               instead: a folder with DIR/NAME/, to copy onto the card (default: DIR of --site, cards/)
  --os trixie|bookworm    the card's Raspberry Pi OS (default: trixie)
  --package FILE|URL      what the device installs (default: dist-packages/deepcod_VERSION_arm64.deb)
  --package-sha256 HEX    its hash; needed for a URL
  --wifi SSID             and --wifi-password-file FILE, --wifi-country CC: the network to join; without it, by cable
  --update-key FILE       public key (deepcod key create) whose releases the device takes; without it, none
  --ssh-key FILE          public keys that may log in as pi; without it nobody can
  --days N                the certificate is valid for so long (default: 3650)
  --renew                 a new key and certificate, for a device that is replaced; the old certificate is kept in
                          DIR/replaced/, to be revoked: deepcod broker revoke
  --json                  what was made, on one line
  --help                  this text

Exit codes: 0 done, 1 unexpected, 2 usage or configuration.`;

const systems = ['trixie', 'bookworm'];

export async function run(args: string[]): Promise<number> {
  const { values, names: given } = parseOptionsAndNames(
    args,
    {
      ...{ prefix: text, count: text, site: text, broker: text, agent: text, boot: text, out: text, os: text },
      ...{ package: text, 'package-sha256': text, wifi: text, 'wifi-password-file': text, 'wifi-country': text },
      ...{ 'update-key': text, 'ssh-key': text, days: text, renew: flag, json: flag },
    },
    1,
  );
  if (values.site === undefined) throw usageError('--site: which folder holds the site?');
  const site = resolve(values.site);
  const names = deviceNames(given[0], values.prefix, numberOption('count', values.count, 1, 10_000));
  const days = numberOption('days', values.days, 1, 7300);
  const tell = (lines: string, json: unknown) => {
    process.stdout.write(values.json ? `${JSON.stringify(json)}\n` : lines);
    return ExitCode.ok;
  };

  // Everything that can be wrong is found before anything is made.
  const os = choice('os', values.os ?? 'trixie', systems);
  if (values.broker === undefined || !/^(mqtts|wss):\/\/[^/@]+/.test(values.broker)) {
    throw usageError(
      '--broker: mqtts://host:8883 or wss://host/path; certificates need TLS, and no password goes with them',
    );
  }
  if (values.boot !== undefined && values.out !== undefined) throw usageError('--boot and --out: only one');
  if (names.length > 1 && (values.boot !== undefined || values.renew)) {
    throw usageError('--boot and --renew: one device at a time');
  }
  const wifi =
    values.wifi === undefined ? undefined : wifiOf(values.wifi, values['wifi-password-file'], values['wifi-country']);
  const sshKeys = values['ssh-key'] === undefined ? [] : publicKeys(values['ssh-key']);
  const deb = await packageOf(values.package, values['package-sha256']);
  const updateKey = values['update-key'] === undefined ? undefined : trustedKey(values['update-key']);
  const takesUpdates = updateKey !== undefined;
  const configurations = names.map((name) => agentYaml(name, values.broker ?? '', values.agent, takesUpdates));
  if (values.boot !== undefined) await addWords(resolve(values.boot), []);

  const ca = await openSiteCa(site);
  const devices: (Identity & { card: string })[] = [];
  const out = resolve(values.out ?? join(site, 'cards'));
  for (const [index, name] of names.entries()) {
    if (values.renew) await putAside(site, name);
    const identity = await identityOf(site, ca, { name, kind: 'device', days });
    const card = values.boot === undefined ? join(out, name) : resolve(values.boot);
    const start: FirstBoot = {
      host: hostName(name),
      instance: `deepcod-${name}-${identity.serial.slice(0, 8).toLowerCase()}`,
      sshKeys,
      wifi,
    };
    const words = os === 'trixie' ? cloudInitWords(start) : firstrunWords;
    await writeFiles(card, [
      ...payload(identity, ca.certificate, configurations[index], deb, updateKey),
      ...(os === 'trixie' ? cloudInitFiles(start) : firstrunFiles(start)),
    ]);
    if (values.boot !== undefined) await addWords(card, words);
    else await writeFiles(card, [{ path: 'cmdline.add.txt', content: `${words.join(' ')}\n` }]);
    devices.push({ ...identity, card });
  }
  const lists = values.boot === undefined ? out : site;
  const batch = values.count !== undefined;
  if (batch) {
    await writeFiles(lists, [
      { path: 'devices.csv', content: deviceTable(devices) },
      { path: 'labels.html', content: await labelSheets(devices) },
    ]);
  }
  const lines = devices.map((device) => `${sentence(device)}\n  ${device.card}\n`).join('');
  return tell(`${lines}${batch ? `${join(lists, 'devices.csv')}\n${join(lists, 'labels.html')}\n` : ''}`, {
    site,
    devices: devices.map((device) => ({ ...summary(device), card: device.card })),
  });
}

function choice(option: string, value: string, allowed: string[]): string {
  if (!allowed.includes(value)) throw usageError(`--${option} ${value}: allowed: ${allowed.join(', ')}`);
  return value;
}

/** @returns PEM @throws DeepcodError `update_keys` for a file that holds no public key to check releases with */
function trustedKey(file: string): string {
  readTrustedKeys(file);
  return readFileSync(file, 'utf8');
}

/** @throws DeepcodError `usage` */
function publicKeys(file: string): string[] {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    throw usageError(`--ssh-key ${file}: ${(error as Error).message}`);
  }
  const lines = content.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const isKey = (line: string) => /^(ssh-|ecdsa-|sk-)[a-z0-9@.-]+ [A-Za-z0-9+/=]+( .*)?$/.test(line);
  if (lines.length === 0 || !lines.every(isKey)) {
    throw usageError(`--ssh-key ${file}: public keys, one a line (the file that ends in .pub)`);
  }
  return lines;
}

const sentence = ({ name, made, expires, fingerprint }: Identity): string =>
  `${name}: ${made ? 'made' : 'known'}, until ${expires.slice(0, 10)}, fingerprint ${fingerprint.slice(0, 23)}...`;

const summary = ({ name, folder, serial, fingerprint, expires, made }: Identity) => ({
  ...{ name, folder, serial, fingerprint, expires, made },
});
