import { changedKeys } from '../platform/config/changes.js';
import type { Log } from '../platform/log.js';
import type { Readiness } from '../platform/systemd/readiness.js';
import type { EdgeConfig } from './config.schema.js';

/**
 * SIGHUP at the edge: the log's level changes at once. What else differs is named: it needs a restart, which every device
 * would notice, so nobody but the operator decides when. A configuration that cannot be used changes nothing.
 * @param current as the edge was started; its level is kept up to date
 */
export function reloadLog(current: EdgeConfig, reread: () => EdgeConfig, readiness: Readiness, log: Log): void {
  readiness.reloading();
  try {
    const config = reread();
    const changed = changedKeys(current, config).filter((key) => key !== 'log.level');
    log.level = config.log.level;
    current.log.level = config.log.level;
    log.info('configuration read again', { log: config.log.level });
    if (changed.length > 0) log.warn('what changed needs a restart', { changed: changed.join(',') });
  } catch (error) {
    log.error('the configuration cannot be used: nothing changes', { error });
  }
  readiness.settled();
}
