import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { packageRoot } from '../../platform/root.js';

/** A program of ours in its own process, with what it said. */
export interface Program {
  child: ChildProcess;
  /** Standard output and standard error, as they came. */
  output(): string;
  /** Waits until the output matches. Throws when the program ends before, or after a minute. */
  says(pattern: RegExp): Promise<void>;
  /** Exit code, or the signal it died of. */
  ended(): Promise<number | NodeJS.Signals | null>;
}

/** @param script relative to dist/ @param env added to this process's */
export function start(script: string, args: string[], env: Record<string, string> = {}): Program {
  const child = spawn(process.execPath, [join(packageRoot(), 'dist', script), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let text = '';
  child.stdout?.on('data', (chunk) => {
    text += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    text += chunk;
  });
  const exit = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  return {
    child,
    output: () => text,
    ended: () => exit,
    async says(pattern) {
      for (let i = 0; i < 2400; i++) {
        if (pattern.test(text)) return;
        if (child.exitCode !== null) break;
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      if (!pattern.test(text)) throw new Error(`never said ${pattern}:\n${text}`);
    },
  };
}

/** Runs a program to its end. */
export async function run(script: string, args: string[], env?: Record<string, string>) {
  const program = start(script, args, env);
  return { code: await program.ended(), output: program.output() };
}
