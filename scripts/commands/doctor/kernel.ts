import type { Environment } from './environment.js';

/** Lines of the kernel's log that are looked at, from the end. */
const LINES = 5000;

/** The kernel's log since the start, or undefined where this user may not read it. */
export async function kernelLog(env: Environment): Promise<string | undefined> {
  const journal = await env.run('journalctl', ['-k', '-b', '-q', '--no-pager', '-o', 'cat', '-n', String(LINES)], 4000);
  if (journal.code === 0 && journal.stdout.trim() !== '') return journal.stdout;
  const dmesg = await env.run('dmesg', [], 4000);
  return dmesg.code === 0 ? dmesg.stdout : undefined;
}
