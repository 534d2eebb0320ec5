import { CameraChild } from './child.js';
import type { Ending } from './trouble.js';

const MOST_BYTES = 1 << 20;

/** What a program says, both ways, and how it ended. One that takes longer is ended: its `code` is null then. */
export async function outputOf(
  program: string,
  args: readonly string[],
  { timeoutMs, signal, input }: { timeoutMs: number; signal?: AbortSignal; input?: string },
): Promise<Ending & { output: string }> {
  signal?.throwIfAborted();
  const child = new CameraChild(program, args, input);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (output.length < MOST_BYTES) output += text;
  });
  const end = () => void child.close();
  const timer = setTimeout(end, timeoutMs);
  signal?.addEventListener('abort', end);
  try {
    const ending = await child.ended;
    signal?.throwIfAborted();
    return { ...ending, output };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
}
