import { readFileSync } from 'node:fs';
import { replaceFile } from '../../../platform/files/replace.js';
import { Seldom } from '../../../platform/log/seldom.js';
import type { Log } from '../../../platform/log.js';

/** A login as it is kept over a restart. */
export interface KeptSession {
  /** SHA-256 of the id that the browser has: nobody can pose as somebody with it. */
  key: string;
  account: string;
  stamp: string;
  /** Unix time, ms. */
  began: number;
  used: number;
}

/**
 * Keeps who is logged in, so that an edge which starts again logs nobody out: a screen on a wall has nobody who would type a
 * password. It is only a memory: what is damaged or cannot be written costs a login, and is said.
 */
export class SessionFile {
  readonly #seldom = new Seldom();

  constructor(
    readonly file: string,
    readonly log?: Log,
  ) {}

  /** @returns none where there is no file, or no usable one */
  read(): KeptSession[] {
    try {
      const { sessions } = JSON.parse(readFileSync(this.file, 'utf8')) as { sessions?: unknown };
      if (!Array.isArray(sessions) || !sessions.every(isKept)) throw new Error('it holds something else than sessions');
      return sessions;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
        this.log?.warn('everybody logs in again: who was logged in cannot be read', { file: this.file, error });
      }
      return [];
    }
  }

  /** Whole or not at all; for the edge's own eyes. Failure is a warning. */
  write(sessions: readonly KeptSession[]): void {
    try {
      replaceFile(this.file, `${JSON.stringify({ v: 1, sessions })}\n`, 0o600);
    } catch (error) {
      if (this.#seldom.now('write')) {
        this.log?.warn('who is logged in cannot be kept over a restart', { file: this.file, error });
      }
    }
  }
}

function isKept(value: unknown): value is KeptSession {
  const { key, account, stamp, began, used } = (value ?? {}) as Record<string, unknown>;
  const isWord = (word: unknown) => typeof word === 'string' && word.length > 0 && word.length <= 64;
  return [key, account, stamp].every(isWord) && [began, used].every(Number.isFinite);
}
