/** Why a release cannot be installed. `code` is for programs, the message for people. */
export class Refused extends Error {
  /** @param lasting it is remembered over restarts, and never tried again */
  constructor(
    readonly code: string,
    message: string,
    readonly lasting = true,
  ) {
    super(message);
  }
}

/** Why it cannot go on now: it is tried again later. */
export class NotNow extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Any error of an update as a reason to wait. */
export function notNow(error: unknown): { code: string; message: string } {
  if (error instanceof NotNow) return error;
  const { code = '', message } = error as Error & { code?: string };
  if (code === 'ENOSPC' || code === 'EDQUOT') return { code: 'disk_full', message };
  return { code: /^E[A-Z]+$/.test(code) ? 'disk_error' : 'internal', message };
}
