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

/**
 * A signal that is aborted with another one, or when its own time is over. Unlike AbortSignal.timeout it keeps the process
 * alive meanwhile: what it waits for may have nothing else that does.
 */
export function limited(ms: number, parent?: AbortSignal): { signal: AbortSignal; end(): void } {
  const own = new AbortController();
  const abort = () => own.abort(parent?.aborted ? parent.reason : new DOMException('the time is over', 'TimeoutError'));
  const timer = setTimeout(abort, ms);
  parent?.addEventListener('abort', abort, { once: true });
  if (parent?.aborted) abort();
  return {
    signal: own.signal,
    end() {
      clearTimeout(timer);
      parent?.removeEventListener('abort', abort);
    },
  };
}
