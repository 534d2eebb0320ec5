import { createHash, randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { SessionFile } from './session-file.js';

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
/** Use of a session is written down so often in the time after which it would be over. */
const KEPT_AN_IDLE_TIME = 10;

/**
 * Who is logged in, in memory and, where there is one, in a file. The id is known to the browser alone; here is only its hash,
 * so that nothing that reads this memory can pose as somebody.
 */
export class Sessions {
  readonly #sessions = new Map<string, Session>();
  #keptAt = Number.NEGATIVE_INFINITY;

  /**
   * @param idleMs without a request or an open page @param longestMs in any case
   * @param file what is in it goes on; whether an account still is what it was, `sweep` and the caller of `use` ask
   */
  constructor(
    readonly idleMs: number,
    readonly longestMs: number,
    readonly file?: SessionFile,
    now = Date.now(),
  ) {
    for (const { key, account, stamp, began, used } of file?.read().slice(-MOST) ?? []) {
      // a clock that was wrong then makes no session longer
      const session = {
        account,
        stamp,
        began: Math.min(began, now),
        used: Math.min(used, now),
        open: new Set<ServerResponse>(),
      };
      if (!this.#isOver(session, now)) this.#sessions.set(key, session);
    }
  }

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
    this.keep(now);
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
  end(id: string | undefined, answer: ServerResponse, now: number): void {
    if (id === undefined) return;
    const key = keyOf(id);
    this.#sessions.get(key)?.open.delete(answer);
    // an id that is none must cost nothing
    if (this.#drop(key)) this.keep(now);
  }

  /** Ends those that are over, or whose account is not what it was. @param valid whether an account still has that stamp */
  sweep(now: number, valid: (session: Session) => boolean): void {
    const before = this.#sessions.size;
    for (const [key, session] of this.#sessions) {
      if (session.open.size > 0) session.used = now;
      if (this.#isOver(session, now) || !valid(session)) this.#drop(key);
    }
    const isTime = before > 0 && now - this.#keptAt > this.idleMs / KEPT_AN_IDLE_TIME;
    if (this.#sessions.size < before || isTime) this.keep(now);
  }

  /** Writes them down for the next start. */
  keep(now: number): void {
    this.#keptAt = now;
    this.file?.write([...this.#sessions].map(([key, { open: _, ...session }]) => ({ key, ...session })));
  }

  #isOver(session: Session, now: number): boolean {
    return now - session.began > this.longestMs || (session.open.size === 0 && now - session.used > this.idleMs);
  }

  /** @returns whether there was one */
  #drop(key: string): boolean {
    const session = this.#sessions.get(key);
    for (const response of session?.open ?? []) response.destroy();
    return this.#sessions.delete(key);
  }
}

const keyOf = (id: string): string => createHash('sha256').update(id).digest('base64url');
