import type { CameraHealth } from '../../../protocol/health.js';

/** Why no pictures come: what is wrong and what to do about it, in one line. Thrown, it ends an attempt and not the agent. */
export class Trouble extends Error {
  override readonly name = 'Trouble';
  constructor(
    readonly state: Exclude<CameraHealth['state'], 'running' | 'starting'>,
    message: string,
  ) {
    super(message);
  }
}

/** What a program left behind when it ended. */
export interface Ending {
  /** The last of what it wrote to standard error. */
  errors: string;
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A program's own words, or at least how it ended: for trouble that nobody knows by name. */
export function lastWords(program: string, { errors, code, signal }: Ending): string {
  const line = errors
    .trim()
    .split('\n')
    .findLast((text) => /error|fail|\*\*\*|invalid|cannot|unable/i.test(text));
  if (line) return `${program} says: ${line.trim().slice(0, 300)}`;
  if (signal) return `${program} was ended by ${signal}`;
  return `${program} ended with code ${code}`;
}
