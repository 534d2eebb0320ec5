import { Readable } from 'node:stream';
import type { History } from '../store/history/history.js';
import type { DetectionEvent, EventFilter } from '../store/history/types.js';

/** Rows asked for at a time: none else is in memory. */
const ROWS = 500;

const COLUMNS = ['id', 'camera', 'class', 'zones', 'started', 'ended', 'best_score', 'most', 'frames', 'snapshot'];

/** Events as CSV, as fast as they are read. RFC 4180; times are ISO 8601, UTC. */
export function eventsCsv(history: History, filter: EventFilter): Readable {
  return Readable.from(lines(history, filter));
}

async function* lines(history: History, filter: EventFilter): AsyncGenerator<string> {
  yield csvLine(COLUMNS);
  let cursor: string | undefined;
  do {
    const { rows, next } = await history.events(filter, { limit: ROWS, cursor });
    if (rows.length > 0) yield rows.map(eventLine).join('');
    cursor = next;
  } while (cursor !== undefined);
}

function eventLine(event: DetectionEvent): string {
  const { id, camera, label, zones, started, ended, score, max_count, frames, snapshot } = event;
  const time = (at: number | undefined): string => (at === undefined ? '' : new Date(at).toISOString());
  return csvLine([
    ...[id, camera, label, zones.join('; '), time(started), time(ended)],
    ...[score.toFixed(3), `${max_count}`, `${frames}`, snapshot ? 'yes' : 'no'],
  ]);
}

/** One record. A field that a spreadsheet would run as a formula is made text by an apostrophe before it. */
export function csvLine(fields: readonly string[]): string {
  return `${fields.map(csvField).join(',')}\r\n`;
}

function csvField(field: string): string {
  const text = /^[=+\-@\t\r\n]/.test(field) ? `'${field}` : field;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
