import { sql } from 'kysely';
import { Seldom } from '../../../platform/log/seldom.js';
import type { Log } from '../../../platform/log.js';
import type { Pictures } from './pictures.js';
import type { Database } from './tables.js';
import type { Retention } from './types.js';

const EVERY_MS = 10 * 60_000;
const FIRST_MS = 30_000;
const DAY_MS = 86_400_000;
/** Rows deleted in one transaction, transactions of one run, and steps of giving space back: each run ends soon. */
const ROWS = 2000;
const RUNS = 50;
const COMPACTIONS = 8;
/** Between two searches for pictures without an event. */
const ORPHANS_MS = DAY_MS;

/** Tables whose rows grow old, and the column that says how old. */
const AGING = [
  ['events', 'started'],
  ['samples', 'at'],
  ['changes', 'at'],
  ['alerts', 'started'],
] as const;

/** Keeps the history within its days and megabytes: a bounded part at a time, the rest with the next run. */
export class Retainer {
  readonly #seldom = new Seldom();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #orphansAt = 0;
  #closed = false;
  /** Hears of alerts that were deleted although nobody had closed them. */
  onUnclosed: (ids: readonly string[]) => void = () => {};

  /** @param flush writes what waits, so that a new event's picture is not taken for an orphan */
  constructor(
    readonly database: Database,
    readonly pictures: Pictures,
    public limits: Retention,
    readonly flush: () => Promise<void>,
    readonly log: Log,
  ) {}

  start(): void {
    this.#plan(FIRST_MS);
  }

  change(limits: Retention): void {
    this.limits = limits;
    this.#plan(0);
  }

  /** Now, once. Calls that come meanwhile get the same run. @param now for tests */
  run(now = Date.now()): Promise<void> {
    this.#running ??= this.#run(now, 1).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** The disk or the file is full: a tenth goes, whatever the limits say. */
  async makeRoom(): Promise<void> {
    await this.#running;
    this.#running = this.#run(Date.now(), 0.9).finally(() => {
      this.#running = undefined;
    });
    await this.#running;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #plan(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#turn(), ms);
    this.#timer.unref();
  }

  async #turn(): Promise<void> {
    await this.run();
    const now = Date.now();
    if (now - this.#orphansAt > ORPHANS_MS) {
      await this.removeOrphans().catch((error: unknown) =>
        this.log.warn('snapshots were not looked through', { error }),
      );
      this.#orphansAt = now;
    }
    this.#plan(EVERY_MS);
  }

  async #run(now: number, share: number): Promise<void> {
    const { days, megabytes, snapshot_days, snapshot_megabytes } = this.limits;
    try {
      const pictureBytes = share < 1 ? this.pictures.bytes * share : snapshot_megabytes * 1e6;
      await this.pictures.prune(pictureBytes, now - snapshot_days * DAY_MS);
      this.pictures.maxBytes = snapshot_megabytes * 1e6;
      let left = await this.#deleteBefore(now - days * DAY_MS, RUNS);
      const limit = (bytes: number): number => Math.min(megabytes * 1e6, share < 1 ? bytes * share : megabytes * 1e6);
      const before = await this.database.bytes();
      while (before !== undefined && left > 0) {
        if (((await this.database.bytes()) ?? 0) <= limit(before)) break;
        const kept = await this.#span();
        if (kept === undefined) break;
        const cut = kept.oldest + Math.max(60_000, (kept.newest - kept.oldest) / 20);
        const after = await this.#deleteBefore(cut, left);
        left = after === left ? 0 : after;
      }
      for (let i = 0; i < COMPACTIONS; i++) await this.database.compact();
    } catch (error) {
      if (this.#seldom.now('run')) this.log.error('the history could not be cut back', { error });
    }
  }

  /** @param runs transactions, at most @returns how many are left */
  async #deleteBefore(cut: number, runs: number): Promise<number> {
    let left = runs;
    for (const [table, column] of AGING) {
      for (let deleted = ROWS; deleted === ROWS && left > 0 && !this.#closed; left--) {
        deleted = await this.#deleteSome(table, column, cut);
        if (deleted === 0) break;
      }
    }
    return left;
  }

  async #deleteSome(table: string, column: string, cut: number): Promise<number> {
    const { db } = this.database;
    const [from, by] = [sql.table(table), sql.ref(column)];
    // where in that order the so-many-th row is: all up to there go
    const { rows } = await sql<{ edge: number; n: number }>`
      select max(t) as edge, count(*) as n from
      (select ${by} as t from ${from} where ${by} < ${cut} order by ${by} limit ${ROWS}) as oldest`.execute(db);
    const [{ edge, n }] = rows;
    if (n === 0) return 0;
    const unclosed = table === 'alerts' ? await this.#unclosed(edge) : [];
    await this.database.write([sql`delete from ${from} where ${by} <= ${edge}`.compile(db)]);
    if (unclosed.length > 0) {
      this.log.warn('alerts that nobody had closed are too old to be kept', { alerts: unclosed.length });
      this.onUnclosed(unclosed);
    }
    return n;
  }

  async #unclosed(until: number): Promise<string[]> {
    const query = this.database.db.selectFrom('alerts').select('id').where('state', 'in', ['open', 'acknowledged']);
    return (await query.where('started', '<=', until).execute()).map(({ id }) => id);
  }

  async #span(): Promise<{ oldest: number; newest: number } | undefined> {
    const { db } = this.database;
    let span: { oldest: number; newest: number } | undefined;
    for (const [table, column] of AGING) {
      const [from, by] = [sql.table(table), sql.ref(column)];
      // each by the index alone: both in one select would read the whole table
      const { rows } = await sql<{ a: number | null; b: number | null }>`
        select (select min(${by}) from ${from}) as a, (select max(${by}) from ${from}) as b`.execute(db);
      const [{ a, b }] = rows;
      if (a === null || b === null) continue;
      span = { oldest: Math.min(a, span?.oldest ?? a), newest: Math.max(b, span?.newest ?? b) };
    }
    return span;
  }

  /** Pictures whose events are gone. @returns how many */
  async removeOrphans(): Promise<number> {
    await this.flush();
    return this.pictures.removeOrphans(async (some) => {
      const { db } = this.database;
      const rows = await db
        .selectFrom('events')
        .select('id')
        .where('id', 'in', [...some])
        .execute();
      return new Set(rows.map(({ id }) => id));
    });
  }
}
