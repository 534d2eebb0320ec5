import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { AgentConfig } from '../config/config.js';
import { Refused } from './errors.js';

/** A bundle whose test takes longer is of no use, ms. */
const PATIENCE_MS = 180_000;
/** Of what the test says, so much is read, bytes. */
const MOST_OUTPUT = 64 * 1024;

const program = fileURLToPath(new URL('./self-test-main.js', import.meta.url));

/**
 * Tries a bundle in a process of its own: a model that ends its process ends that one. It checks every file's hash, opens every
 * head, runs a test frame through it at every rate, codes and decodes the symbols, compares the tail's shape, and runs the service
 * where this device may have to.
 * @param folder of the bundle
 * @throws Refused `self_test` with what is wrong; the signal's reason
 */
export async function selfTest(folder: string, config: AgentConfig, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const alone = config.fallback || ['device', 'auto'].includes(config.partition);
  const args = [program, folder, alone ? 'alone' : 'with-edge', String(config.threads ?? 1)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const hear = (text: Buffer): void => {
    if (said.length < MOST_OUTPUT) said += text.toString();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, PATIENCE_MS);
  const onAbort = () => child.kill('SIGKILL');
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const [code, killedBy] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (...how) => resolve(how));
    });
    signal.throwIfAborted();
    if (code === 0) return;
    const last = said.trim().split('\n').at(-1) ?? '';
    if (late) throw new Refused('self_test', `not done after ${PATIENCE_MS / 1000} s`);
    if (killedBy === null) throw new Refused('self_test', last || `exit code ${code}`);
    const why = killedBy === 'SIGKILL' ? ', as the system does where memory is short' : '';
    throw new Refused('self_test', `ended by ${killedBy}${why}${last && `: ${last}`}`);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
