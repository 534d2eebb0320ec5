import type { Log } from '../../platform/log.js';
import type { Edge } from '../edge.js';
import { type HistoryConfig, historySettings } from '../store/history/config.js';
import { History } from '../store/history/history.js';
import { type AlertsConfig, senders } from './config.js';
import { publishEvents } from './notify/events.js';
import { Notifier } from './notify/notifier.js';
import { Site } from './site.js';

/**
 * Opens history and rules of an edge, and tells the broker of events.
 * @throws DeepcodError `history_unusable`, `history_newer`, `secret_unreadable` (exit code 2)
 */
export async function openSite(
  config: { history: HistoryConfig; alerts: AlertsConfig },
  { link, topics }: Pick<Edge, 'link' | 'topics'>,
  log: Log,
): Promise<Site> {
  const targets = senders(config.alerts, link.broker, topics);
  const history = await History.open(historySettings(config.history), log.child('history'));
  try {
    const notifier = await Notifier.open(history.database, targets, log.child('alerts'));
    const site = await Site.open(history, notifier, log);
    publishEvents(site, link.broker, topics);
    return site;
  } catch (error) {
    await history.close();
    throw error;
  }
}
