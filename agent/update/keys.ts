import { createPublicKey, type KeyObject } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DeepcodError, ExitCode } from '../../platform/errors.js';
import { keyId } from '../../protocol/update.js';

/** Public keys by id. */
export type TrustedKeys = ReadonlyMap<string, KeyObject>;

/**
 * Reads the keys that releases may be signed with.
 * @param path a PEM file with one public ed25519 key, or a folder of such files, `*.pem`
 * @throws DeepcodError `update_keys`, exit code 2
 */
export function readTrustedKeys(path: string): TrustedKeys {
  const fail = (file: string, reason: string) =>
    new DeepcodError(
      'update_keys',
      `update.keys: ${file}: ${reason}`,
      'Copy the .pub.pem file that `deepcod key create` made; the private key stays with you.',
      ExitCode.usage,
    );
  let files: string[];
  try {
    files = statSync(path).isDirectory()
      ? readdirSync(path)
          .filter((name) => name.endsWith('.pem'))
          .map((name) => join(path, name))
      : [path];
  } catch (error) {
    throw fail(path, (error as Error).message);
  }
  if (files.length === 0) throw fail(path, 'no *.pem in this folder');
  const keys = new Map<string, KeyObject>();
  for (const file of files) {
    let key: KeyObject;
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
      key = createPublicKey(text);
    } catch (error) {
      throw fail(file, (error as Error).message);
    }
    // Whoever has it could sign releases for every other device.
    if (text.includes('PRIVATE KEY')) throw fail(file, 'this is a private key: it must not lie on a device');
    if (key.asymmetricKeyType !== 'ed25519') throw fail(file, `a key of type ${key.asymmetricKeyType}, not ed25519`);
    keys.set(keyId(key), key);
  }
  return keys;
}
