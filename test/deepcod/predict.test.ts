import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../platform/root.js';
import type { ProfileReport } from '../../scripts/commands/profile/report.js';
import { tinyBundle } from '../agent/rig.js';
import { run } from '../platform/process.js';

const contextBundle = join(packageRoot(), 'test/fixtures/tiny-context-bundle');
const profile = (...args: string[]) => run('scripts/deepcod.js', ['profile', ...args]);
const read = <T>(file: string): T => JSON.parse(readFileSync(file, 'utf8')) as T;

t.test('--predict: from the stored model, with --verify beside what is measured', async (t) => {
  const dir = t.testdir({});
  const [file, json] = [join(dir, 'profile.json'), join(dir, 'report.json')];
  const without = await profile('--profile', file, '--predict', contextBundle);
  t.match(without, { code: 2, output: /profile\.json: no time model of this device/ });
  t.equal((await profile('--bundle', tinyBundle, '--profile', file, '--runs', '2')).code, 0);
  const { output } = await profile('--profile', file, '--predict', contextBundle, '--json', json);
  t.match(output, /^input +- +- +\d+\.\d\d +-$/m);
  t.notMatch(output, /stored in/);
  const verified = await profile(
    '--profile',
    file,
    '--predict',
    contextBundle,
    '--verify',
    '--runs',
    '2',
    '--json',
    json,
  );
  t.match(verified.output, /^device +\d+\.\d\d +\d+\.\d\d +\d+\.\d\d +[+-]\d+\.\d%$/m);
  const { rows, mean_error: meanError = 0 } = read<ProfileReport>(json);
  const errors = rows.map(({ error = 0 }) => Math.abs(error));
  t.ok(Math.abs(meanError - errors.reduce((a, b) => a + b) / 3) < 1e-3);
  for (const { mean_ms: mean = 0, predicted_ms: predicted = 0, error = 0 } of rows) {
    t.ok(Math.abs(error - (predicted / mean - 1)) < 0.01, `${error}`);
  }
});

t.test('what makes no sense', async (t) => {
  t.match(await profile('--runs', '0'), { code: 2, output: /--runs 0: a whole number from 1/ });
  t.match(await profile('--verify'), { code: 2, output: /--verify: only with --predict/ });
  t.match(await profile('--bundle', '/nowhere'), { code: 3, output: /\/nowhere: no such folder/ });
  t.match(await profile('--config', '/nowhere.yaml'), { code: 2, output: /nowhere\.yaml/ });
});
