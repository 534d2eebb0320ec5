/** `npm run bench:history -- [--quick] [--json FILE]`: how fast the history writes, and how long searches take. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { History } from '../edge/store/history/history.js';
import type { EventFilter } from '../edge/store/history/types.js';
import { ExitCode } from '../platform/errors.js';
import { silentLog } from '../platform/log.js';
import { runMain } from '../platform/main.js';
import { flag, parseOptions, text } from '../platform/options.js';
import { writeReport } from '../scripts/json.js';

const usage = `usage: npm run bench:history -- [--quick] [--json FILE]

Fills an embedded database with events (a million; --quick: 20000), at 1000 a second as a burst first, then as fast as it
goes, and times searches in it. Nothing is kept. Exit codes: 0 done, 1 unexpected, 2 wrong usage.

  --quick      20000 events
  --json FILE  write the figures there
  --help       this text`;

const BURST = 5000;
const RETENTION = { days: 36_500, megabytes: 10_000, snapshot_days: 1, snapshot_megabytes: 1 };
const MINUTE_MS = 60_000;

runMain(usage, async (args) => {
  const { quick, json } = parseOptions(args, { quick: flag, json: text });
  const rows = quick ? 20_000 : 1_000_000;
  const folder = await mkdtemp(join(tmpdir(), 'deepcod-bench-history-'));
  const history = await History.open({ folder, retention: RETENTION }, silentLog);
  try {
    const burst = await burstOf(history);
    const fillMs = await fill(history, rows);
    const searches = await search(history, rows);
    const report = {
      rows,
      bytes: await history.database.bytes(),
      burst,
      fill_per_s: Math.round((rows / fillMs) * 1000),
      searches,
    };
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    if (json !== undefined) writeReport(json, report);
  } finally {
    await history.close();
    await rm(folder, { recursive: true, force: true });
  }
  return ExitCode.ok;
});

/** 1000 events a second for five seconds: how long the main thread was held up at most, and what was lost. */
async function burstOf(history: History): Promise<{ per_s: number; longest_hold_ms: number; dropped: number }> {
  const begun = performance.now();
  let longest = 0;
  for (let made = 0; made < BURST; ) {
    const start = performance.now();
    const due = Math.min(BURST, Math.floor(start - begun));
    for (; made < due; made++) history.saveEvent(eventOf(-1 - made));
    longest = Math.max(longest, performance.now() - start);
    await new Promise((done) => setTimeout(done, 10));
  }
  const per_s = Math.round((BURST / (performance.now() - begun)) * 1000);
  await history.flush();
  return { per_s, longest_hold_ms: longest, dropped: history.counts.dropped };
}

async function fill(history: History, rows: number): Promise<number> {
  const begun = performance.now();
  for (let i = 0; i < rows; i++) {
    history.saveEvent(eventOf(i));
    if (i % 10_000 === 9999) await history.flush();
  }
  await history.flush();
  return performance.now() - begun;
}

async function search(history: History, rows: number): Promise<Record<string, number>> {
  const middle = START + (rows / 2) * MINUTE_MS;
  const filters: Record<string, EventFilter> = {
    newest: {},
    camera: { camera: 'cam-7' },
    class: { label: 'helmet' },
    rare_class: { label: 'rare' },
    zone: { zone: 'Zone 3' },
    hour: { from: middle, to: middle + 3_600_000 },
    all: { camera: 'cam-7', label: 'head', zone: 'Zone 3', to: middle },
    nothing: { camera: 'cam-7', label: 'none' },
  };
  const times: Record<string, number> = {};
  for (const [name, filter] of Object.entries(filters)) {
    const taken: number[] = [];
    for (let i = 0; i < 5; i++) {
      const begun = performance.now();
      await history.events(filter, { limit: 50 });
      taken.push(performance.now() - begun);
    }
    times[`${name}_ms`] = Math.round((taken.sort((a, b) => a - b)[2] ?? 0) * 100) / 100;
  }
  return times;
}

const START = 1_600_000_000_000;

/** 20 cameras, two usual classes and a rare one, four zones. */
function eventOf(i: number) {
  const started = START + i * MINUTE_MS;
  const label = i % 50_000 === 49_999 ? 'rare' : i % 3 ? 'head' : 'helmet';
  return {
    ...{ id: `b${i}`, camera: `cam-${Math.abs(i) % 20}`, label, zones: i % 2 ? [`Zone ${Math.abs(i) % 4}`] : [] },
    ...{ started, ended: started + 9000, score: 0.9, best_at: started, box: [0.1, 0.1, 0.2, 0.2] },
    ...{ max_count: 1, frames: 20, snapshot: false },
  };
}
