import { DeepcodError, ExitCode } from './errors.js';

/** Waits for the first SIGINT, SIGTERM or SIGHUP. A second SIGINT or SIGTERM ends the process at once, with code 130. */
export function untilStopped(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let stopping = false;
    const on = (signal: NodeJS.Signals): void => {
      if (stopping) process.exit(130);
      stopping = true;
      resolve(signal);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, on);
  });
}

/** What is wrong with the command line itself. */
export function usageError(message: string): DeepcodError {
  return new DeepcodError('usage', message, undefined, ExitCode.usage);
}

/**
 * Runs a command and turns what it throws into a message on standard error and a documented exit code. `--help` prints the
 * usage instead. What is wrong with the command line comes below the usage, where it is seen.
 * @param usage all options and exit codes
 * @param main takes the arguments, returns the exit code
 */
export function runMain(usage: string, main: (args: string[]) => Promise<number>): void {
  const args = process.argv.slice(2);
  if (args.includes('--help')) {
    process.stdout.write(`${usage}\n`);
    return;
  }
  main(args).then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      const parseError =
        error instanceof TypeError && String((error as { code?: string }).code).startsWith('ERR_PARSE_ARGS');
      if (parseError || (error instanceof DeepcodError && error.code === 'usage')) {
        process.stderr.write(`${usage}\n\n${(error as Error).message}\n`);
        process.exitCode = ExitCode.usage;
      } else if (error instanceof DeepcodError) {
        process.stderr.write(`${error.message}\n${error.hint ? `${error.hint}\n` : ''}`);
        process.exitCode = error.exitCode;
      } else {
        process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
        process.exitCode = ExitCode.unexpected;
      }
    },
  );
}
