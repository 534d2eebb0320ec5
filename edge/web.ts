import type { Log } from '../platform/log.js';
import type { EdgeConfig } from './config.schema.js';
import type { Edge } from './edge.js';
import { startWeb as serve } from './web/server.js';

/** The web page of a running edge. */
export interface Web {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts the page, unless it is switched off. @throws DeepcodError `web_port` (exit code 2) */
export async function startWeb(config: EdgeConfig, edge: Edge, log: Log): Promise<Web | undefined> {
  return config.web.enabled ? serve(config.web, edge, log.child('web')) : undefined;
}
