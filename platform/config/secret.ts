import { readFileSync } from 'node:fs';
import { DeepcodError, ExitCode } from '../errors.js';

/**
 * Reads a secret from its file; one line break at the end is not part of it.
 * @param what what the file holds, for the message: "the broker's password"
 * @throws DeepcodError `secret_unreadable`
 */
export function readSecret(file: string, what: string): string {
  return readSecretBytes(file, what)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}

/** The same for keys and certificates, whose bytes are taken as they are. */
export function readSecretBytes(file: string, what: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new DeepcodError(
      'secret_unreadable',
      `${what} cannot be read: ${(error as Error).message}`,
      `Check that ${file} exists and that the user this process runs as may read it.`,
      ExitCode.usage,
    );
  }
}
