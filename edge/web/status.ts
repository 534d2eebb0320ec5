import type { ApiContext } from './routes/context.js';

const started = performance.now();

/** How the history is: what the schema Status says. */
export async function siteStatus({ site, commands }: ApiContext): Promise<object> {
  const common = {
    now: Date.now(),
    commands: commands !== undefined,
    uptime_s: Math.round((performance.now() - started) / 1000),
  };
  if (!site) {
    const none = { snapshots: 0, snapshot_bytes: 0, waiting: 0, written: 0, dropped: 0, outbox: 0 };
    return { ...common, database: 'none', ...none, notify: { mqtt: false, webhook: false, email: false } };
  }
  const { history } = site;
  const { database, pictures, counts } = history;
  return {
    ...common,
    database: database.kind,
    timescale: database.timescale,
    bytes: await database.bytes(),
    snapshots: pictures.count,
    snapshot_bytes: pictures.bytes,
    ...counts,
    oldest: await history.oldest(),
    outbox: site.notifier.waiting,
    notify: site.notifier.targets,
  };
}
