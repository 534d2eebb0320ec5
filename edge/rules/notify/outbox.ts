import { Seldom } from '../../../platform/log/seldom.js';
import type { Log } from '../../../platform/log.js';
import { retryDelays } from '../../../platform/retry.js';
import type { Database } from '../../store/history/tables.js';
import type { Target } from '../types.js';

/** Messages that wait, at most; then the oldest is given up. */
const DEPTH = 1000;
/** From 2 seconds, doubling to half an hour; after so many attempts (about half a day) a message is given up. */
const RETRY = { first: 2000, longest: 1_800_000, factor: 2, jitter: 0.5 };
const ATTEMPTS = 32;
/** Messages handed over together, where a target takes more than one. */
const TOGETHER = 50;

/** A message to somebody outside. */
export interface Message {
  id: string;
  body: string;
}

/** Delivers to one target. */
export interface Sender {
  /** Takes several in one. */
  readonly digest: boolean;
  /** From one delivery to the next, at least, ms. */
  readonly everyMs: number;
  /** Ends when the other side has them. @throws when it has not, or nobody knows */
  send(messages: readonly Message[]): Promise<void>;
  close(): Promise<void>;
}

interface Waiting extends Message {
  target: Target;
  attempts: number;
  nextAt: number;
  created: number;
  delays: Iterator<number>;
}

export interface OutboxCounts {
  waiting: number;
  sent: number;
  /** Given up: too many, or too often refused. */
  lost: number;
}

/**
 * Messages until they are delivered, at least once each: they lie in the database, so a restart loses none. Bounded. While
 * the database fails they are still sent, from memory.
 */
export class Outbox {
  readonly #waiting = new Map<string, Waiting>();
  readonly #busy = new Map<Target, Promise<void>>();
  readonly #notBefore = new Map<Target, number>();
  readonly #seldom = new Seldom();
  #sent = 0;
  #lost = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #stored: Promise<void> = Promise.resolve();

  private constructor(
    readonly database: Database,
    readonly senders: ReadonlyMap<Target, Sender>,
    readonly log: Log,
  ) {}

  /** Opens it with what an earlier start left. */
  static async open(database: Database, senders: ReadonlyMap<Target, Sender>, log: Log): Promise<Outbox> {
    const outbox = new Outbox(database, senders, log);
    const rows = await database.db.selectFrom('outbox').selectAll().orderBy('created').limit(DEPTH).execute();
    for (const { id, target, body, attempts, created } of rows) {
      const waiting = { id, body, target: target as Target, attempts, created, nextAt: 0, delays: retryDelays(RETRY) };
      if (senders.has(waiting.target)) outbox.#waiting.set(id, waiting);
      else outbox.#giveUp(waiting, 'this target is no longer set up');
    }
    outbox.#soon(0);
    return outbox;
  }

  get counts(): OutboxCounts {
    return { waiting: this.#waiting.size, sent: this.#sent, lost: this.#lost };
  }

  push(target: Target, id: string, body: string, now = Date.now()): void {
    if (this.#closed || !this.senders.has(target)) return;
    const waiting: Waiting = { id, body, target, attempts: 0, nextAt: 0, created: now, delays: retryDelays(RETRY) };
    this.#waiting.set(id, waiting);
    const row = { id, target, body, attempts: 0, next_at: 0, created: now, error: null };
    const { db } = this.database;
    this.#store(
      db
        .insertInto('outbox')
        .values(row)
        .onConflict((on) => on.doNothing())
        .compile(),
    );
    if (this.#waiting.size > DEPTH) this.#giveUp(this.#waiting.values().next().value as Waiting, 'too many wait');
    this.#soon(0);
  }

  /** Ends when what is being sent is sent, and the rest lies in the database. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await Promise.all(this.#busy.values());
    await this.#stored;
    await Promise.all([...this.senders.values()].map((sender) => sender.close()));
  }

  #soon(ms: number): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#go(), ms);
  }

  #go(): void {
    const now = Date.now();
    let next = Number.POSITIVE_INFINITY;
    for (const [target, sender] of this.senders) {
      if (this.#busy.has(target)) continue;
      const mine = [...this.#waiting.values()].filter((waiting) => waiting.target === target);
      if (mine.length === 0) continue;
      const due = mine.filter(({ nextAt }) => nextAt <= now);
      const rest = this.#notBefore.get(target) ?? 0;
      if (due.length > 0 && rest <= now) {
        const work = this.#deliver(target, sender, due.slice(0, sender.digest ? TOGETHER : 1)).finally(() => {
          this.#busy.delete(target);
          this.#soon(0);
        });
        this.#busy.set(target, work);
      } else {
        next = Math.min(next, Math.max(rest, Math.min(...mine.map(({ nextAt }) => nextAt))));
      }
    }
    if (next < Number.POSITIVE_INFINITY) this.#soon(Math.min(60_000, Math.max(10, next - now)));
  }

  async #deliver(target: Target, sender: Sender, messages: readonly Waiting[]): Promise<void> {
    try {
      await sender.send(messages);
      this.#sent += messages.length;
      this.#notBefore.set(target, Date.now() + sender.everyMs);
      for (const { id } of messages) this.#forget(id);
      this.#seldom.clear();
    } catch (error) {
      if (this.#seldom.now(target))
        this.log.warn(`${target}: a notification was not delivered; tried again`, { error });
      for (const message of messages) this.#again(message, (error as Error).message);
    }
  }

  #again(message: Waiting, error: string): void {
    message.attempts++;
    message.nextAt = Date.now() + (message.delays.next().value as number);
    if (message.attempts >= ATTEMPTS) {
      this.#giveUp(message, error);
      return;
    }
    const { id, attempts, nextAt } = message;
    const update = this.database.db
      .updateTable('outbox')
      .set({ attempts, next_at: nextAt, error: error.slice(0, 500) });
    this.#store(update.where('id', '=', id).compile());
  }

  #giveUp({ id, target }: Waiting, why: string): void {
    this.#lost++;
    this.log.error(`${target}: a notification is given up`, { id, why });
    this.#forget(id);
  }

  #forget(id: string): void {
    this.#waiting.delete(id);
    this.#store(this.database.db.deleteFrom('outbox').where('id', '=', id).compile());
  }

  #store(query: Parameters<Database['write']>[0][number]): void {
    this.#stored = this.#stored
      .then(() => this.database.write([query]))
      .catch((error: unknown) => {
        if (this.#seldom.now('store')) this.log.warn('notifications that wait are in memory alone', { error });
      });
  }
}
