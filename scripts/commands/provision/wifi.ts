import { pbkdf2Sync } from 'node:crypto';
import { readSecret } from '../../../platform/config.js';
import { usageError } from '../../../platform/main.js';

export interface Wifi {
  ssid: string;
  /** Pre-shared key, 64 hexadecimal digits: what WPA makes of password and name. The password itself goes nowhere. */
  psk: string;
  /** ISO 3166, two letters: without it a Raspberry Pi's radio stays off. */
  country: string;
}

/**
 * @param file holds the password, or the key that `wpa_passphrase` shows
 * @throws DeepcodError `usage`, `secret_unreadable`
 */
export function wifiOf(ssid: string, file: string | undefined, country: string | undefined): Wifi {
  const bytes = Buffer.byteLength(ssid);
  if (bytes < 1 || bytes > 32) throw usageError(`--wifi ${ssid}: a network's name has 1 to 32 bytes`);
  if (file === undefined) throw usageError('--wifi: the password too, in a file, with --wifi-password-file');
  if (country === undefined || !/^[A-Z]{2}$/.test(country)) {
    throw usageError('--wifi: the country too, with --wifi-country, such as DE: until it is told, the radio stays off');
  }
  const secret = readSecret(file, "the network's password (--wifi-password-file)");
  if (/^[0-9a-f]{64}$/i.test(secret)) return { ssid, psk: secret.toLowerCase(), country };
  if (!/^[\x20-\x7e]{8,63}$/.test(secret)) {
    throw usageError(
      `--wifi-password-file ${file}: a password has 8 to 63 ASCII characters, a key 64 hexadecimal digits`,
    );
  }
  return { ssid, psk: preSharedKey(secret, ssid), country };
}

/** IEEE 802.11i: PBKDF2 with HMAC-SHA-1, 4096 rounds, 256 bits. */
export function preSharedKey(password: string, ssid: string): string {
  return pbkdf2Sync(password, ssid, 4096, 32, 'sha1').toString('hex');
}
