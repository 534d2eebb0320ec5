/** Waits for something, but no longer than so many ms. @throws what it throws in that time */
export async function atMost(ms: number, what: Promise<unknown> | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([what, over]).finally(() => clearTimeout(timer));
}

/** Waits for something until the signal is aborted; then there is nothing. @throws what it throws until then */
export async function unlessAborted<T>(what: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  let onAbort = () => {};
  const aborted = new Promise<undefined>((resolve) => {
    onAbort = () => resolve(undefined);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
  });
  return Promise.race([what, aborted]).finally(() => signal.removeEventListener('abort', onAbort));
}
