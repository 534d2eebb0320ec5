import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { DeepcodError, ExitCode } from '../../../platform/errors.js';

/** The first line of a file. @throws DeepcodError `secret_unreadable` */
export async function readPassphrase(file: string): Promise<string> {
  return (await read(file)).split(/\r?\n/, 1)[0];
}

/** A private key that signs releases. @throws DeepcodError `key_invalid`, `secret_unreadable`, exit code 2 */
export async function readSigningKey(file: string, passphraseFile: string | undefined): Promise<KeyObject> {
  const pem = await read(file);
  const passphrase = passphraseFile === undefined ? undefined : await readPassphrase(passphraseFile);
  return parsed(file, () => createPrivateKey({ key: pem, ...(passphrase !== undefined && { passphrase }) }));
}

/** The public key of a file with either. @throws DeepcodError as above */
export async function readKey(file: string, passphraseFile: string | undefined): Promise<KeyObject> {
  const pem = await read(file);
  if (pem.includes('PRIVATE KEY')) return createPublicKey(await readSigningKey(file, passphraseFile));
  return parsed(file, () => createPublicKey(pem));
}

function parsed(file: string, parse: () => KeyObject): KeyObject {
  const fail = (reason: string) => {
    const hint = 'Give the .key.pem file that `deepcod key create` made, with --passphrase if it was made with one.';
    return new DeepcodError('key_invalid', `${file}: ${reason}`, hint, ExitCode.usage);
  };
  let key: KeyObject;
  try {
    key = parse();
  } catch (error) {
    throw fail((error as Error).message);
  }
  if (key.asymmetricKeyType !== 'ed25519') throw fail(`a key of type ${key.asymmetricKeyType}, not ed25519`);
  return key;
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { message } = error as Error;
    throw new DeepcodError('secret_unreadable', `${file}: ${message}`, 'Is the path right?', ExitCode.usage);
  }
}
