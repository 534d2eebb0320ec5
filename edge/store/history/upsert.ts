import { CompiledQuery } from 'kysely';
import type { Database, Tables } from './tables.js';

/**
 * Makes the one statement that is written all the time, for one table: its text is made once, which is most of the work.
 */
export class Upsert<T extends keyof Tables> {
  #columns: readonly string[] | undefined;
  #sql = '';

  /** @param keys columns that tell rows apart @param onConflict whether a row that is there is replaced or kept */
  constructor(
    readonly kind: Database['kind'],
    readonly table: T,
    readonly keys: readonly (keyof Tables[T] & string)[],
    readonly onConflict: 'replace' | 'keep',
  ) {}

  /** @param row with all columns, in the same order each time */
  query(row: Tables[T]): CompiledQuery {
    this.#columns ??= this.#prepare(Object.keys(row));
    const values = row as Readonly<Record<string, unknown>>;
    return CompiledQuery.raw(
      this.#sql,
      this.#columns.map((column) => values[column]),
    );
  }

  #prepare(columns: readonly string[]): readonly string[] {
    const places = columns.map((_, i) => (this.kind === 'postgres' ? `$${i + 1}` : '?'));
    const others = columns.filter((column) => !(this.keys as readonly string[]).includes(column));
    const action =
      this.onConflict === 'keep'
        ? 'do nothing'
        : `do update set ${others.map((column) => `"${column}" = excluded."${column}"`).join(', ')}`;
    const names = columns.map((column) => `"${column}"`).join(', ');
    const keys = this.keys.map((column) => `"${column}"`).join(', ');
    this.#sql = `insert into "${this.table}" (${names}) values (${places.join(', ')}) on conflict (${keys}) ${action}`;
    return columns;
  }
}
