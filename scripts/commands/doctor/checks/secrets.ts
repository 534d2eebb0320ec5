import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { defineCheck } from '../check.js';

/** Anybody on the device may read it, or somebody else than its owner may write it. */
const OPEN_TO_ALL = 0o004;
const WRITABLE_BY_OTHERS = 0o022;

export const secretsCheck = defineCheck({
  name: 'secrets',
  title: 'secret files',
  group: 'configuration',
  timeoutMs: 2000,
  needs: ['config'],
  findings: {
    secrets_ok: {
      status: 'pass',
      means: 'Password, key and certificate files are there, closed to others, and fit together.',
    },
    secrets_none: { status: 'pass', means: 'The configuration names no password, key or certificate files.' },
    secret_missing: {
      status: 'failure',
      symptom: 'silent',
      means: 'The configuration names a file that is not there. The agent does not start without it.',
      todo: 'Copy it to {file}, or make the device’s files again: `deepcod provision NAME`.',
    },
    secret_unreadable: {
      status: 'warning',
      means:
        'The user who runs this may not read a secret file, so it was not checked, and a login with it cannot be tried.',
      todo: '`sudo deepcod doctor` with the same options.',
    },
    secret_open: {
      status: 'warning',
      means: 'Everybody who can log in on this device can read a secret, or change it.',
      todo: '`sudo chmod o-rwx,g-w {file}`',
    },
    key_mismatch: {
      status: 'failure',
      symptom: 'silent',
      means: 'The private key does not belong to the certificate. TLS with them must fail.',
      todo: 'Copy both again from the same folder, or make them again: `deepcod provision NAME`.',
    },
    key_damaged: {
      status: 'failure',
      symptom: 'silent',
      means: 'A key or certificate file does not hold what it should (PEM).',
      todo: 'Copy it again, or make the device’s files again: `deepcod provision NAME`.',
    },
  },
  async run({ known, tell }) {
    const { broker, camera } = known.config as NonNullable<typeof known.config>;
    const secret = [broker.password_file, broker.key_file, camera.password_file].filter((file) => file !== undefined);
    const all = [...secret, broker.cert_file, broker.ca_file].filter((file) => file !== undefined);
    if (all.length === 0) return tell('secrets_none', 'none are configured');
    let fine = true;
    const bad: typeof tell = (id, what, values) => {
      fine = false;
      tell(id, what, values);
    };
    const texts = new Map<string, string>();
    for (const file of all) {
      try {
        const { mode } = await stat(file);
        const exposed = secret.includes(file)
          ? (mode & (OPEN_TO_ALL | WRITABLE_BY_OTHERS)) !== 0
          : (mode & 0o002) !== 0;
        const shown = (mode & 0o777).toString(8);
        if (exposed) bad('secret_open', `${file}: permissions ${shown}`, { file, mode: shown });
        texts.set(file, await readFile(file, 'utf8'));
      } catch (error) {
        const denied = ['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '');
        bad(
          denied ? 'secret_unreadable' : 'secret_missing',
          `${file}: ${denied ? 'permission denied' : 'no such file'}`,
          { file },
        );
      }
    }
    const key = broker.key_file && texts.get(broker.key_file);
    const certificate = broker.cert_file && texts.get(broker.cert_file);
    if (key !== undefined && certificate !== undefined) {
      try {
        const fits = new X509Certificate(certificate as string).checkPrivateKey(createPrivateKey(key as string));
        if (!fits) bad('key_mismatch', `${broker.key_file} is not the key of ${broker.cert_file}`);
      } catch (error) {
        bad('key_damaged', `${broker.key_file}, ${broker.cert_file}: ${(error as Error).message}`);
      }
    }
    if (fine) tell('secrets_ok', `${all.length} files`, { files: all.length });
  },
});
