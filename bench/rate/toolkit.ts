import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { DeepcodError, ExitCode } from '../../platform/errors.js';
import { packageRoot } from '../../platform/root.js';

let python: string | undefined;

/**
 * The Python that has the toolkit's packages: $DEEPCOD_PYTHON, or the environment that ./scripts/test makes too, made now
 * where it is missing.
 * @throws DeepcodError that says what to install
 */
async function toolkitPython(): Promise<string> {
  const given = process.env.DEEPCOD_PYTHON;
  if (given) {
    if (!existsSync(given)) {
      throw new DeepcodError('python', `DEEPCOD_PYTHON=${given}: no such file`, undefined, ExitCode.usage);
    }
    return resolve(given);
  }
  const script = 'source scripts/lib/prepare.sh; need_python; printf %s "$PYTHON"';
  const child = promisify(execFile)('bash', ['-c', script], { cwd: packageRoot() });
  child.child.stderr?.pipe(process.stderr);
  const { stdout } = await child.catch(() => {
    throw new DeepcodError(
      'python',
      "the toolkit's Python environment could not be made",
      'Make one (docs/training.md, Install), then: DEEPCOD_PYTHON=.venv/bin/python npm run bench:rate -- ...',
      ExitCode.usage,
    );
  });
  return isAbsolute(stdout) ? stdout : join(packageRoot(), stdout);
}

/**
 * Runs `deepcod ARGS`; what it prints goes to standard error, as all that is not the result does.
 * @throws DeepcodError with its exit code when it fails; it has said why
 */
export async function toolkit(...args: string[]): Promise<void> {
  python ??= await toolkitPython();
  const child = spawn(python, ['-m', 'deepcod', ...args], {
    stdio: ['ignore', 2, 2],
    env: { ...process.env, PYTHONPATH: join(packageRoot(), 'training'), DEEPCOD_ROOT: packageRoot() },
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new DeepcodError('toolkit', `deepcod ${args[0]} ended with code ${code}`, undefined, code ?? 1);
}
