import { DeepcodError, ExitCode } from './errors.js';
import { openLibc } from './systemd/libc.js';

/** A service has stopped so long after it was told to, ms. */
export const STOP_WITHIN_MS = 1700;

export interface StopOptions {
  /** SIGHUP calls this; without it, SIGHUP stops as the others do. */
  reload?: () => void;
  /** The process ends so long after the signal at the latest, ms, whatever still runs. Default: when it is done. */
  withinMs?: number;
}

/** Waits for the first SIGINT, SIGTERM or SIGHUP. A second SIGINT or SIGTERM ends the process at once, with code 130. */
export function untilStopped({ reload, withinMs }: StopOptions = {}): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let stopping = false;
    const on = (signal: NodeJS.Signals): void => {
      if (signal === 'SIGHUP' && reload) {
        if (!stopping) reload();
        return;
      }
      if (stopping) process.exit(130);
      stopping = true;
      if (withinMs !== undefined) setTimeout(leave, withinMs).unref();
      resolve(signal);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, on);
  });
}

/**
 * Ends the process although a model still runs: `process.exit` would wait for its thread, then abort. What is on the disk
 * is whole at any moment.
 */
function leave(): void {
  openLibc().exit(ExitCode.ok);
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
