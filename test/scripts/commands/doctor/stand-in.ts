import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Test } from 'tap';
import type { Finding } from '../../../../scripts/commands/doctor/check.js';
import { allChecks } from '../../../../scripts/commands/doctor/checks/index.js';
import { type Environment, type Ran, thisMachine } from '../../../../scripts/commands/doctor/environment.js';
import type { Known } from '../../../../scripts/commands/doctor/known.js';
import { chosen, runChecks } from '../../../../scripts/commands/doctor/run.js';
import { tinyBundle } from '../../../agent/rig.js';

/** A folder that goes away with the test. */
export function folder(t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), 'doctor-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** What a device is made of in a test. */
export interface Device {
  /** Files below its root: path and text; `-> target` makes a link. */
  files?: Record<string, string>;
  /** Programs by command line: what they print, or how they end. Others are not installed. */
  programs?: Record<string, string | Partial<Ran>>;
  /** The rest. */
  parts?: Partial<Environment>;
  /** agent.yaml beside device, bundle, and a simulated camera. */
  config?: Record<string, unknown>;
}

/** A device with the given peculiarities; Node.js itself is real. */
export function device(t: Test, { files = {}, programs = {}, parts = {} }: Device): Environment {
  const root = folder(t);
  for (const [path, text] of Object.entries(files)) {
    const at = join(root, path);
    mkdirSync(dirname(at), { recursive: true });
    if (text.startsWith('-> ')) symlinkSync(text.slice(3), at);
    else writeFileSync(at, text);
  }
  const real = thisMachine();
  return {
    ...real,
    root,
    variables: {},
    uid: 1000,
    gids: [1000],
    async askFirmware(question) {
      const told = programs[`vcgencmd ${question}`] ?? programs.vcgencmd;
      return typeof told === 'string' ? told : undefined;
    },
    async run(command, args, timeoutMs) {
      if (command === real.node.path) return real.run(command, args, timeoutMs);
      const told = programs[[command, ...args].join(' ')] ?? programs[command];
      const ran: Ran = { code: 0, signal: null, stdout: '', stderr: '' };
      if (told === undefined) return { ...ran, code: null, problem: 'missing' };
      return typeof told === 'string' ? { ...ran, stdout: told } : { ...ran, ...told };
    },
    ...parts,
  };
}

/** Writes agent.yaml (JSON is YAML). */
export function configFile(t: Test, config: Record<string, unknown> = {}): string {
  const file = join(folder(t), 'agent.yaml');
  writeFileSync(file, JSON.stringify({ device: 'yard', bundle: tinyBundle, threads: 1, ...config }));
  return file;
}

/** Runs checks (and those that they need) on a device. */
export async function examine(
  t: Test,
  names: string[],
  made: Device & { file?: string } = {},
): Promise<{ findings: Finding[]; known: Known; env: Environment; ids: string[] }> {
  const env = device(t, made);
  const known: Known = {};
  const checks = chosen(allChecks(made.file ?? configFile(t, made.config)), names);
  const findings = await runChecks(checks, env, known);
  return { findings, known, env, ids: findings.map(({ id }) => id) };
}

/** The findings of one check. */
export const of = (findings: readonly Finding[], check: string): Finding[] =>
  findings.filter((finding) => finding.check === check);
