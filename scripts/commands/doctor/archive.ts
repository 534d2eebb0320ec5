import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { create } from 'tar';
import { DeepcodError, ExitCode } from '../../../platform/errors.js';
import { replaceFile } from '../../../platform/files/replace.js';
import { INSTALLED_CONFIG } from './checks/configuration.js';
import { UNIT } from './checks/service.js';
import type { Environment } from './environment.js';
import { boardModel, read } from './environment.js';
import { kernelLog } from './kernel.js';
import type { Known } from './known.js';
import { describeCertificate, redactConfig, redactText } from './redact.js';
import type { DoctorReport } from './report.js';

/** Lines of the agent's log, from the end. */
const LOG_LINES = 2000;

const README = `Support archive of deepcod doctor.

report.json       what was found
report.txt        the same, as shown
agent.yaml        the configuration; passwords, keys and tokens are removed
health.json       what the running agent said of itself last
certificates.json subjects, issuers and dates of the configured certificates; no keys
agent.log         the last lines of the agent's log, kernel.log of the kernel's
system.json       board, system, versions

Passwords, private keys, and names and passwords of Wi-Fi networks are removed. Device names, host names and addresses are
in it: look through it before you pass it on. No pictures are in it.
`;

/**
 * Everything that helps somebody far away, and nothing secret.
 * @param file where it is written, .tar.gz @param shown the report for people
 * @returns names of the files in it
 * @throws DeepcodError `archive_unwritable` (exit code 2)
 */
export async function writeArchive(
  file: string,
  env: Environment,
  known: Known,
  report: DoctorReport,
  shown: string,
  configFile: string | undefined,
): Promise<string[]> {
  const { config } = known;
  const secrets = await secretsOf(known);
  const clean = (text: string) => redactText(text, secrets);
  const files: Record<string, string> = {
    'README.txt': README,
    'report.json': clean(`${JSON.stringify(report, null, 2)}\n`),
    'report.txt': clean(`${shown}\n`),
  };
  const yaml = await readFile(configFile ?? join(env.root, INSTALLED_CONFIG), 'utf8').catch(() => undefined);
  if (yaml !== undefined) files['agent.yaml'] = redactConfig(yaml, secrets);
  if (known.health) files['health.json'] = clean(`${JSON.stringify(known.health, null, 2)}\n`);
  const certificates: Record<string, unknown> = {};
  for (const path of [config?.broker.ca_file, config?.broker.cert_file]) {
    if (path === undefined) continue;
    certificates[path] = await readFile(path)
      .then(describeCertificate)
      .catch((error: Error) => ({ error: error.message }));
  }
  files['certificates.json'] = clean(`${JSON.stringify(certificates, null, 2)}\n`);
  const journal = await env.run(
    'journalctl',
    ['-u', UNIT, '-q', '--no-pager', '-o', 'short-iso', '-n', String(LOG_LINES)],
    8000,
  );
  if (journal.stdout.trim() !== '') files['agent.log'] = clean(journal.stdout);
  const kernel = await kernelLog(env);
  if (kernel !== undefined) files['kernel.log'] = clean(kernel);
  const system = {
    board: await boardModel(env),
    release: properties(await read(env, '/etc/os-release')),
    machine: report.machine,
    versions: report.versions,
    uptime: await read(env, '/proc/uptime'),
    loadavg: await read(env, '/proc/loadavg'),
  };
  files['system.json'] = clean(`${JSON.stringify(system, null, 2)}\n`);
  try {
    await pack(resolve(file), files);
  } catch (error) {
    throw new DeepcodError(
      'archive_unwritable',
      `${file}: ${(error as Error).message}`,
      'Name a file where you may write.',
      ExitCode.usage,
    );
  }
  return Object.keys(files);
}

/** Writes the files into a .tar.gz, whole or not at all. */
async function pack(file: string, files: Record<string, string>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'deepcod-support-'));
  try {
    const inside = join(folder, 'deepcod-support');
    await mkdir(inside);
    for (const [name, text] of Object.entries(files)) await writeFile(join(inside, name), text, { mode: 0o600 });
    // Portable: no user names, numbers of owners, or times of access.
    const packed = join(folder, 'packed');
    await create({ gzip: true, portable: true, cwd: folder, file: packed }, ['deepcod-support']);
    replaceFile(file, await readFile(packed), 0o600);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What stands in the secret files: it must not show up anywhere else either. */
async function secretsOf({ config }: Known): Promise<string[]> {
  const { password_file, key_file } = config?.broker ?? {};
  const camera = config?.camera.password_file;
  const texts = await Promise.all(
    [password_file, key_file, camera].map((path) => path && readFile(path, 'utf8').catch(() => '')),
  );
  return texts.filter((text): text is string => !!text).map((text) => text.trim());
}

function properties(text = ''): Record<string, string> {
  return Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line.includes('='))
      .map((line) => line.split('=', 2)),
  );
}
