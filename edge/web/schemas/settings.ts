import { amount, count, flag, type Json, object, text, time, word } from './build.js';

const limit = (maximum: number, description: string): Json => ({ type: 'integer', minimum: 1, maximum, description });

export const settingsSchemas: Json[] = [
  {
    $id: 'Retention',
    ...object({
      days: limit(36_500, 'events, samples and alerts are kept for so long'),
      megabytes: limit(10_000_000, 'size of the embedded database; beyond it the oldest make room'),
      snapshot_days: limit(36_500, 'snapshots are kept for so long'),
      snapshot_megabytes: limit(10_000_000, 'size of all snapshots'),
    }),
  },
  {
    $id: 'Status',
    description: 'of the history',
    ...object(
      {
        now: time(),
        database: word(['sqlite', 'postgres', 'none']),
        timescale: flag('PostgreSQL with TimescaleDB'),
        bytes: count('of the embedded database'),
        snapshots: count('pictures kept'),
        snapshot_bytes: count(),
        waiting: count('writes that wait'),
        written: count('writes since the edge started'),
        dropped: count('writes given up since then, because the database was too slow or failed'),
        failing: text(500, 'why writing fails now'),
        oldest: time('of the oldest event'),
        outbox: count('notifications that wait'),
        notify: object({ mqtt: flag(), webhook: flag(), email: flag() }, [], { description: 'what is set up' }),
        commands: flag('whether commands to devices are allowed here'),
        uptime_s: amount(),
      },
      ['failing', 'oldest', 'bytes', 'timescale'],
    ),
  },
];
