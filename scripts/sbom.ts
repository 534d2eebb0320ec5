/** `npm run sbom`: what the product is made of, as CycloneDX. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ExitCode } from '../platform/errors.js';
import { runMain } from '../platform/main.js';
import { parseOptions, text } from '../platform/options.js';
import { packageRoot } from '../platform/root.js';
import { type Bom, type Lock, named, withoutDev, withPython } from './sbom/bom.js';

const usage = `usage: npm run sbom -- [--out FILE]

Writes the software bill of materials (CycloneDX 1.5, JSON): the npm packages that the product needs when it runs, and the
Python packages of the toolkit (training/requirements.txt).

  --out FILE  default: standard output
  --help      this text

Exit codes: 0 done, 1 unexpected, 2 wrong usage.`;

runMain(usage, async (args) => {
  const { out } = parseOptions(args, { out: text });
  const root = packageRoot();
  const command = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'];
  const written = execFileSync('npm', command, {
    cwd: root,
    maxBuffer: 64 * 2 ** 20,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const { name } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { name: string };
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
  const requirements = readFileSync(join(root, 'training', 'requirements.txt'), 'utf8');
  const json = `${JSON.stringify(withPython(named(withoutDev(JSON.parse(written.toString('utf8')) as Bom, lock), name), requirements), undefined, 2)}\n`;
  if (out === undefined) process.stdout.write(json);
  else writeFileSync(out, json);
  return ExitCode.ok;
});
