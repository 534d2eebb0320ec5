/** Exit codes of every command; documented in docs/integrators.md. */
export const ExitCode = { ok: 0, unexpected: 1, usage: 2, bundle: 3, camera: 4, broker: 5, update: 6 } as const;

/**
 * An error a person can act on: what is wrong and where (`message`), a stable `code` for programs,
 * what to do about it (`hint`), and the exit code of a command that ends because of it.
 */
export class DeepcodError extends Error {
  override readonly name = 'DeepcodError';
  constructor(
    readonly code: string,
    message: string,
    readonly hint?: string,
    readonly exitCode: number = ExitCode.unexpected,
  ) {
    super(message);
  }
}
