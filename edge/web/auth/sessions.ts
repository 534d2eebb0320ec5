import { createHash, randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** One login. */
export interface Session {
  readonly account: string;
  /** The account's at the time. */
  readonly stamp: string;
  readonly began: number;
  used: number;
  /** Answers that are still being sent: an open page is in use. */
  readonly open: Set<ServerResponse>;
}

const MOST = 1000;
const MOST_OF_ONE = 20;

/**
 * Who is logged in, in memory: a restart logs everybody out. The id is known to the browser alone; here is only its hash, so
 * that nothing that reads this memory can pose as somebody.
 */
export class Sessions {
  readonly #sessions = new Map<string, Session>();

  /** @param idleMs without a request or an open page @param longestMs in any case */
  constructor(
    readonly idleMs: number,
    readonly longestMs: number,
  ) {}

  get size(): number {
    return this.#sessions.size;
  }

  /** @returns the id, for the cookie: 256 random bits */
  begin(account: string, stamp: string, now: number): string {
    const own = [...this.#sessions].filter(([, session]) => session.account === account);
    if (own.length >= MOST_OF_ONE) this.#drop(own[0][0]);
    if (this.#sessions.size >= MOST) for (const key of [...this.#sessions.keys()].slice(0, 1)) this.#drop(key);
    const id = randomBytes(32).toString('base64url');
    this.#sessions.set(keyOf(id), { account, stamp, began: now, used: now, open: new Set() });
    return id;
  }

  /** @returns undefined for a session that is over, or never was */
  use(id: string | undefined, now: number): Session | undefined {
    if (id === undefined || id.length > 100) return undefined;
    const key = keyOf(id);
    const session = this.#sessions.get(key);
    if (!session) return undefined;
    if (this.#isOver(session, now)) {
      this.#drop(key);
      return undefined;
    }
    session.used = now;
    return session;
  }

  /** Ends one, and what is still being sent in it, but for `answer`. */
  end(id: string | undefined, answer: ServerResponse): void {
    if (id === undefined) return;
    const key = keyOf(id);
    this.#sessions.get(key)?.open.delete(answer);
    this.#drop(key);
  }

  /** Ends those that are over, or whose account is not what it was. @param valid whether an account still has that stamp */
  sweep(now: number, valid: (session: Session) => boolean): void {
    for (const [key, session] of this.#sessions) {
      if (session.open.size > 0) session.used = now;
      if (this.#isOver(session, now) || !valid(session)) this.#drop(key);
    }
  }

  #isOver(session: Session, now: number): boolean {
    return now - session.began > this.longestMs || (session.open.size === 0 && now - session.used > this.idleMs);
  }

  #drop(key: string): void {
    const session = this.#sessions.get(key);
    this.#sessions.delete(key);
    for (const response of session?.open ?? []) response.destroy();
  }
}

const keyOf = (id: string): string => createHash('sha256').update(id).digest('base64url');
