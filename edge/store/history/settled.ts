import type { CompiledQuery } from 'kysely';
import type { OpenAlert } from '../../rules/open-alerts.js';
import type { Place, PlaceSettings, Rule, RuleSettings } from '../../rules/types.js';
import type { Database } from './tables.js';

/** What people set up, as it lies in the database: zones, masks and rules. Few, so all of them are read at the start. */
export class Settled {
  constructor(readonly database: Database) {}

  async places(): Promise<Place[]> {
    const rows = await this.database.db.selectFrom('places').selectAll().execute();
    return rows.map(({ id, body, updated }) => ({ id, ...(JSON.parse(body) as PlaceSettings), updated }));
  }

  async rules(): Promise<Rule[]> {
    const rows = await this.database.db.selectFrom('rules').selectAll().execute();
    return rows.map(({ id, body, updated }) => ({ id, ...(JSON.parse(body) as RuleSettings), updated }));
  }

  savePlace({ id, updated, ...settings }: Place): Promise<void> {
    const row = { camera: settings.camera, body: JSON.stringify(settings), updated };
    const insert = this.database.db.insertInto('places').values({ id, ...row });
    return this.#write(insert.onConflict((on) => on.column('id').doUpdateSet(row)).compile());
  }

  saveRule({ id, updated, ...settings }: Rule): Promise<void> {
    const row = { body: JSON.stringify(settings), updated };
    const insert = this.database.db.insertInto('rules').values({ id, ...row });
    return this.#write(insert.onConflict((on) => on.column('id').doUpdateSet(row)).compile());
  }

  deletePlace(id: string): Promise<void> {
    return this.#write(this.database.db.deleteFrom('places').where('id', '=', id).compile());
  }

  deleteRule(id: string): Promise<void> {
    return this.#write(this.database.db.deleteFrom('rules').where('id', '=', id).compile());
  }

  /** Alerts that nobody has closed, oldest first. */
  openAlerts(): Promise<OpenAlert[]> {
    const query = this.database.db.selectFrom('alerts').select(['id', 'rule', 'camera']);
    return query.where('state', 'in', ['open', 'acknowledged']).orderBy('started').orderBy('id').execute();
  }

  /** Ends what an earlier start left open: nobody saw its end. */
  closeLeftovers(): Promise<void> {
    const { db } = this.database;
    return this.database.write([
      db
        .updateTable('events')
        .set((of) => ({ ended: of.ref('best_at') }))
        .where('ended', 'is', null)
        .compile(),
      db
        .updateTable('alerts')
        .set((of) => ({ ended: of.ref('changed') }))
        .where('ended', 'is', null)
        .compile(),
    ]);
  }

  #write(query: CompiledQuery): Promise<void> {
    return this.database.write([query]);
  }
}
