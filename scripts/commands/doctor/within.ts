import { setTimeout as pause } from 'node:timers/promises';

/**
 * What a promise gives, or undefined when the time is over first.
 * @throws the signal's reason when it is aborted, and what the promise throws
 */
export async function within<T>(work: Promise<T>, ms: number, signal: AbortSignal): Promise<T | undefined> {
  const done = new AbortController();
  try {
    return await Promise.race([work, pause(ms, undefined, { signal: AbortSignal.any([signal, done.signal]) })]);
  } finally {
    done.abort();
  }
}
