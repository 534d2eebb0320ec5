import { join } from 'node:path';
import { DeepcodError, ExitCode } from '../../../platform/errors.js';
import { Seldom } from '../../../platform/log/seldom.js';
import type { Log } from '../../../platform/log.js';
import type { Alert } from '../../rules/types.js';
import { openDatabase } from './open.js';
import { encodeCursor, type Position } from './paging.js';
import { Pictures } from './pictures.js';
import { type QueueCounts, WriteQueue } from './queue.js';
import { Retainer } from './retention.js';
import { fromAlert, fromEvent, fromSample, toAlert, toChange, toEvent } from './rows.js';
import { type AlertFilter, alertsQuery, eventsQuery, samplesOf } from './search.js';
import type { Database } from './tables.js';
import type { Change, DetectionEvent, EventFilter, Page, Paging, Retention, Sample } from './types.js';
import { Upsert } from './upsert.js';

export interface HistorySettings {
  /** Of the embedded database and of the snapshots. */
  folder: string;
  /** A PostgreSQL instead of the embedded database. */
  url?: string;
  password?: string;
  /** Until people change it. */
  retention: Retention;
}

/** Snapshots that wait to be written, at most. */
const PICTURES_WAITING = 8;

/** What was seen and measured, kept in a database and a folder of pictures. Nothing here waits for a slow disk but who asks. */
export class History {
  readonly #queue: WriteQueue;
  readonly #retainer: Retainer;
  readonly #seldom = new Seldom();
  readonly #upserts: ReturnType<typeof upserts>;
  #picturesWaiting = 0;

  private constructor(
    readonly database: Database,
    readonly pictures: Pictures,
    retention: Retention,
    readonly log: Log,
  ) {
    this.#upserts = upserts(database.kind);
    this.#queue = new WriteQueue(database, log, () => this.#retainer.makeRoom());
    this.#retainer = new Retainer(database, pictures, retention, () => this.flush(), log);
  }

  /** @throws DeepcodError `history_unusable`, `history_newer` (exit code 2) */
  static async open(settings: HistorySettings, log: Log): Promise<History> {
    let database: Database | undefined;
    try {
      database = await openDatabase(settings, log);
      const stored = await setting<Retention>(database, RETENTION);
      const retention = { ...settings.retention, ...stored };
      const folder = join(settings.folder, 'snapshots');
      const pictures = await Pictures.open(folder, retention.snapshot_megabytes * 1e6);
      const history = new History(database, pictures, retention, log);
      history.#retainer.start();
      return history;
    } catch (error) {
      await database?.close();
      if (error instanceof DeepcodError) throw error;
      throw new DeepcodError(
        'history_unusable',
        `the history in ${settings.url === undefined ? settings.folder : 'PostgreSQL'} cannot be used: ${(error as Error).message}`,
        'Check history.folder and history.url in edge.yaml, or switch the history off with history.enabled: false.',
        ExitCode.usage,
      );
    }
  }

  // What happens: queued, never waited for.

  saveEvent(event: DetectionEvent): void {
    const { events, zones } = this.#upserts;
    const { id, started } = event;
    const queries = [events.query(fromEvent(event))];
    for (const zone of event.zones) queries.push(zones.query({ event: id, zone, started }));
    this.#queue.push(queries, `event:${id}`);
  }

  saveSample(camera: string, sample: Sample): void {
    this.#queue.push([this.#upserts.samples.query(fromSample(camera, sample))]);
  }

  saveChange(camera: string, { at, partition, rate, reason, why }: Change): void {
    const row = { camera, at, partition, rate, reason: reason ?? null, why: why ?? null };
    this.#queue.push([this.#upserts.changes.query(row)]);
  }

  saveAlert(alert: Alert): void {
    this.#queue.push([this.#upserts.alerts.query(fromAlert(alert))], `alert:${alert.id}`);
  }

  /** What was done to an alert that is kept: the rest of it may have changed meanwhile. */
  saveAlertState({ id, state, by, changed, note }: Alert): void {
    const set = { state, by_whom: by ?? null, changed, note: note ?? null };
    this.#queue.push([this.database.db.updateTable('alerts').set(set).where('id', '=', id).compile()]);
  }

  /** @param listener hears of alerts that went with their time although nobody had closed them */
  onUnclosedGone(listener: (ids: readonly string[]) => void): void {
    this.#retainer.onUnclosed = listener;
  }

  /** Keeps the picture of an event; one too many at a time is left out. */
  savePicture(event: string, data: Uint8Array): void {
    if (this.#picturesWaiting >= PICTURES_WAITING) return;
    this.#picturesWaiting++;
    this.pictures
      .save(event, data)
      .catch((error: unknown) => {
        if (this.#seldom.now('picture')) this.log.error('a snapshot cannot be written', { error });
        if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return this.#retainer.makeRoom();
      })
      .finally(() => {
        this.#picturesWaiting--;
      });
  }

  /** Ends when what was queued is written. @throws DeepcodError `history_failing` when it cannot be now */
  async flush(): Promise<void> {
    await this.#queue.flush();
    const { failing } = this.#queue.counts;
    if (failing !== undefined) {
      throw new DeepcodError('history_failing', `the history cannot be written now: ${failing}`, 'Is the disk full?');
    }
  }

  // What people ask for.

  async events(filter: EventFilter, paging: Paging): Promise<Page<DetectionEvent>> {
    const rows = await eventsQuery(this.database.db, filter, paging).execute();
    return page(
      rows.map((row) => toEvent(row, this.pictures.has(row.id))),
      paging.limit,
    );
  }

  async event(id: string): Promise<DetectionEvent | undefined> {
    const row = await this.database.db.selectFrom('events').selectAll().where('id', '=', id).executeTakeFirst();
    return row && toEvent(row, this.pictures.has(id));
  }

  /** The picture of an event, JPEG. */
  snapshot(event: string): Promise<Buffer | undefined> {
    return this.pictures.read(event);
  }

  samples(camera: string, from: number, to: number, stepMs: number): Promise<Sample[]> {
    return samplesOf(this.database.db, camera, from, to, stepMs);
  }

  /** Newest first. */
  async changes(camera: string, from: number, to: number, limit: number): Promise<Change[]> {
    const query = this.database.db.selectFrom('changes').selectAll().where('camera', '=', camera);
    const within = query.where('at', '>=', from).where('at', '<=', to);
    return (await within.orderBy('at', 'desc').limit(limit).execute()).map(toChange);
  }

  async alerts(filter: AlertFilter, paging: Paging): Promise<Page<Alert>> {
    const rows = await alertsQuery(this.database.db, filter, paging).execute();
    return page(
      rows.map((row) => toAlert(row, row.event !== null && this.pictures.has(row.event))),
      paging.limit,
    );
  }

  async alert(id: string): Promise<Alert | undefined> {
    const row = await this.database.db.selectFrom('alerts').selectAll().where('id', '=', id).executeTakeFirst();
    return row && toAlert(row, row.event !== null && this.pictures.has(row.event));
  }

  retention(): Retention {
    return this.#retainer.limits;
  }

  async setRetention(limits: Retention): Promise<Retention> {
    const value = JSON.stringify(limits);
    const insert = this.database.db.insertInto('settings').values({ key: RETENTION, value });
    await this.database.write([insert.onConflict((on) => on.column('key').doUpdateSet({ value })).compile()]);
    this.#retainer.change(limits);
    return limits;
  }

  get counts(): QueueCounts {
    return this.#queue.counts;
  }

  /** Start of the oldest event. */
  async oldest(): Promise<number | undefined> {
    const query = this.database.db.selectFrom('events').select('started').orderBy('started').limit(1);
    return (await query.executeTakeFirst())?.started;
  }

  /** Writes what waits, and ends. */
  async close(): Promise<void> {
    await this.#retainer.close();
    await this.#queue.close();
    await this.pictures.close();
    await this.database.close();
  }
}

function upserts(kind: Database['kind']) {
  return {
    events: new Upsert(kind, 'events', ['id'], 'replace'),
    zones: new Upsert(kind, 'event_zones', ['event', 'zone'], 'keep'),
    samples: new Upsert(kind, 'samples', ['camera', 'at'], 'replace'),
    changes: new Upsert(kind, 'changes', ['camera', 'at'], 'keep'),
    alerts: new Upsert(kind, 'alerts', ['id'], 'replace'),
  };
}

const RETENTION = 'retention';

async function setting<T>({ db }: Database, key: string): Promise<T | undefined> {
  const row = await db.selectFrom('settings').select('value').where('key', '=', key).executeTakeFirst();
  return row && (JSON.parse(row.value) as T);
}

/** @param rows one more than the limit where there are more */
function page<T extends Position>(rows: T[], limit: number): Page<T> {
  if (rows.length <= limit) return { rows };
  const shown = rows.slice(0, limit);
  return { rows: shown, next: encodeCursor(shown[limit - 1]) };
}
