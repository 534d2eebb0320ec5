import { existsSync } from 'node:fs';
import type { Log } from '../platform/log.js';
import type { EdgeConfig } from './config.schema.js';
import type { Edge } from './edge.js';

/** The web page of a running edge. */
export interface Web {
  readonly url: string;
  close(): Promise<void>;
}

/** What edge/web/server.js exports. */
interface WebModule {
  startWeb(config: EdgeConfig['web'], edge: Edge, log: Log): Promise<Web>;
}

/** Starts the page, unless it is switched off or this installation comes without it. */
export async function startWeb(config: EdgeConfig, edge: Edge, log: Log): Promise<Web | undefined> {
  if (!config.web.enabled) return undefined;
  const server = new URL('./web/server.js', import.meta.url);
  if (!existsSync(server)) {
    log.info('no web page in this installation');
    return undefined;
  }
  const module = (await import(server.href)) as WebModule;
  return module.startWeb(config.web, edge, log.child('web'));
}
