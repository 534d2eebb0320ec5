import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DeepcodError, ExitCode } from '../../platform/errors.js';
import { replaceFile } from '../../platform/files/replace.js';
import { usageError } from '../../platform/main.js';
import { parseOptionsAndNames, text } from '../../platform/options.js';
import { keyId } from '../../protocol/update.js';
import { readKey, readPassphrase } from './update/key-file.js';

export const usage = `usage: ./scripts/deepcod key create NAME [--out FOLDER] [--passphrase FILE]
       ./scripts/deepcod key show FILE [--passphrase FILE]

Keys that releases are signed with (ed25519). 'create' writes NAME.key.pem, which stays with you and signs, and NAME.pub.pem, which
goes to the devices (update.keys in agent.yaml). Nothing is overwritten; a private key without its public one gets it.
'show' prints the id of either.

  --out FOLDER        where the files go (default: this folder)
  --passphrase FILE   encrypts the private key; its first line is the passphrase
  --help              this text

Exit codes: 0 done, 1 unexpected, 2 usage, a file that is there already or cannot be read.`;

export async function run(args: string[]): Promise<number> {
  const { values, names } = parseOptionsAndNames(args, { out: text, passphrase: text }, 2);
  const [verb, name] = names;
  if (verb === 'create' && name !== undefined) return create(name, values.out ?? '.', values.passphrase);
  if (verb === 'show' && name !== undefined) {
    process.stdout.write(`${keyId(await readKey(name, values.passphrase))}\n`);
    return ExitCode.ok;
  }
  throw usageError('key create NAME, or key show FILE');
}

async function create(name: string, folder: string, passphraseFile: string | undefined): Promise<number> {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(name)) throw usageError(`${name}: 1 to 64 of A-Z a-z 0-9 . _ -`);
  const passphrase = passphraseFile === undefined ? undefined : await readPassphrase(passphraseFile);
  const files = { secret: join(folder, `${name}.key.pem`), open: join(folder, `${name}.pub.pem`) };
  if (existsSync(files.open)) {
    const hint = 'Take another name: devices that trust the old key would not trust the new one.';
    throw new DeepcodError('key_exists', `${files.open} is there already`, hint, ExitCode.usage);
  }
  const encryption = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase };
  // A power cut may have left the private key alone: then it gets its public one.
  if (!existsSync(files.secret)) {
    const { privateKey } = generateKeyPairSync('ed25519');
    replaceFile(files.secret, privateKey.export({ type: 'pkcs8', format: 'pem', ...encryption }), 0o600);
  }
  const publicKey = await readKey(files.secret, passphraseFile);
  replaceFile(files.open, publicKey.export({ type: 'spki', format: 'pem' }), 0o644);
  process.stdout.write(
    `key ${keyId(publicKey)}\n` +
      `  ${files.secret}   signs: keep it off devices and edges, and a copy in a safe place\n` +
      `  ${files.open}   for the devices: update.keys in agent.yaml\n`,
  );
  return ExitCode.ok;
}
