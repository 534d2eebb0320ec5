import { readFile, writeFile } from 'node:fs/promises';
import { CHANGEABLE, checkSettings } from '../../agent/update/settings.js';
import { readYaml } from '../../platform/config/yaml.js';
import { DeepcodError, ExitCode } from '../../platform/errors.js';
import { usageError } from '../../platform/main.js';
import { flag, numberOption, parseOptionsAndNames, text, texts } from '../../platform/options.js';
import { versions } from '../../platform/versions.js';
import { ProtocolError } from '../../protocol/errors.js';
import { isDeviceName } from '../../protocol/topics.js';
import { type SignedRelease, validateRelease } from '../../protocol/update.js';
import { readSigningKey } from './update/key-file.js';
import { bundleRelease, configRelease, type ReleaseTerms } from './update/make-release.js';
import { putRelease } from './update/put.js';

export const usage = `usage: ./scripts/deepcod publish BUNDLE --key FILE --to DEVICE|all --into FOLDER [options]
       ./scripts/deepcod publish --settings FILE --key FILE --to DEVICE|all --into FOLDER [options]
       ./scripts/deepcod publish [BUNDLE] --signed FILE --into FOLDER

Signs a bundle, or a change of settings, and puts the release into the folder that an edge offers releases from (updates.folder in
edge.yaml). A running edge sees it within two seconds. Signing needs no network and no edge: --out FILE writes the signed release
alone, and --signed FILE puts it down later, elsewhere, without the key.

  BUNDLE             folder of the bundle
  --settings FILE    YAML with the keys of agent.yaml that change:
                     ${CHANGEABLE.slice(0, 6).join(', ')},
                     ${CHANGEABLE.slice(6).join(', ')}
  --key FILE         private key: 'deepcod key create'
  --passphrase FILE  the key's passphrase, its first line
  --to NAME          a device; may be repeated; or all
  --into FOLDER      the edge's updates.folder
  --out FILE         write the signed release here
  --sequence N       its number (default: seconds since 1970); devices take what is above what they had
  --allow-older      devices may take it, once, although its number is not above
  --min-agent V      oldest agent that may take it (default: this version)
  --help             this text

Exit codes: 0 done, 1 unexpected, 2 usage, key or folder, 3 bundle.`;

export async function run(args: string[]): Promise<number> {
  const { values, names } = parseOptionsAndNames(
    args,
    {
      settings: text,
      key: text,
      passphrase: text,
      to: texts,
      into: text,
      out: text,
      signed: text,
      sequence: text,
      'allow-older': flag,
      'min-agent': text,
    },
    1,
  );
  const [bundle] = names;
  const { into, out } = values;
  if (into === undefined && out === undefined) throw usageError('Where to? --into FOLDER, or --out FILE');
  const release = values.signed === undefined ? await sign(bundle, values) : await readSigned(values.signed);
  if (out !== undefined) await writeFile(out, `${JSON.stringify(release, null, 1)}\n`);
  const places = [out, into === undefined ? undefined : await putRelease(into, release, bundle)];
  const what = release.kind === 'bundle' ? `bundle ${release.service}/${release.bundle}` : 'settings';
  const to = release.to === 'all' ? 'all devices' : release.to.join(', ');
  process.stdout.write(
    `release ${release.sequence} of ${what} for ${to}, signed with key ${release.key}\n` +
      places.map((place) => (place === undefined ? '' : `  ${place}\n`)).join('') +
      (into === undefined ? '' : `watch it: deepcod update status DEVICE --watch --sequence ${release.sequence}\n`),
  );
  return ExitCode.ok;
}

interface SignOptions {
  settings?: string;
  key?: string;
  passphrase?: string;
  to?: string[];
  sequence?: string;
  'allow-older'?: boolean;
  'min-agent'?: string;
}

async function sign(bundle: string | undefined, options: SignOptions): Promise<SignedRelease> {
  const { settings, key: keyFile, to = [] } = options;
  if ((bundle === undefined) === (settings === undefined)) throw usageError('Name a BUNDLE, or --settings FILE');
  if (keyFile === undefined) throw usageError('Which key? --key FILE; deepcod key create makes one');
  const odd = to.find((name) => name !== 'all' && !isDeviceName(name));
  if (odd !== undefined) throw usageError(`--to ${odd}: 1 to 64 of A-Z a-z 0-9 _ -, or all`);
  if (to.length === 0 || (to.includes('all') && to.length > 1)) throw usageError('--to DEVICE, repeated, or --to all');
  const terms: ReleaseTerms = {
    to: to[0] === 'all' ? 'all' : to,
    sequence: numberOption('sequence', options.sequence, 1, Number.MAX_SAFE_INTEGER),
    allowOlder: options['allow-older'],
    minAgent: options['min-agent'] ?? versions().deepcod,
  };
  const key = await readSigningKey(keyFile, options.passphrase);
  try {
    if (bundle !== undefined) return await bundleRelease(bundle, terms, key);
    return configRelease(checkSettings(readYaml(settings as string).value), terms, key);
  } catch (error) {
    throw error instanceof ProtocolError ? usageError(error.message) : error;
  }
}

async function readSigned(file: string): Promise<SignedRelease> {
  try {
    return validateRelease(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    const hint = 'Give a file that --out has written.';
    throw new DeepcodError('publish', `${file}: ${(error as Error).message}`, hint, ExitCode.usage);
  }
}
