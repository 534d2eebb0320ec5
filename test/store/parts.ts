import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { History, type HistorySettings } from '../../edge/store/history/history.js';
import type { Database } from '../../edge/store/history/tables.js';
import type { DetectionEvent } from '../../edge/store/history/types.js';
import { silentLog } from '../../platform/log.js';

/** A folder that goes with the test. */
export function folderFor(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'deepcod-history-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export const retention = { days: 90, megabytes: 100, snapshot_days: 30, snapshot_megabytes: 10 };

export async function openHistory(t: Test, settings: Partial<HistorySettings> = {}): Promise<History> {
  const history = await History.open({ folder: folderFor(t), retention, ...settings }, silentLog);
  t.teardown(() => history.close());
  return history;
}

let made = 0;

/** An event; each one a minute after the one before, unless told otherwise. */
export function event(change: Partial<DetectionEvent> = {}): DetectionEvent {
  const number = made++;
  const started = change.started ?? 1_750_000_000_000 + number * 60_000;
  return {
    id: `e${String(number).padStart(6, '0')}`,
    camera: 'gate',
    label: 'head',
    zones: [],
    started,
    ended: started + 5000,
    score: 0.9,
    best_at: started + 1000,
    box: [0.1, 0.2, 0.3, 0.4],
    max_count: 2,
    frames: 9,
    snapshot: false,
    ...change,
  };
}

/** A database that fails as it is told to. */
export function failing(database: Database): Database & { fault: Error | undefined } {
  const wrapped = {
    kind: database.kind,
    db: database.db,
    fault: undefined as Error | undefined,
    async write(queries: Parameters<Database['write']>[0]) {
      if (wrapped.fault) throw wrapped.fault;
      return database.write(queries);
    },
    bytes: () => database.bytes(),
    compact: () => database.compact(),
    close: () => database.close(),
  };
  return wrapped;
}
