import type { Log } from '../platform/log.js';
import type { EdgeConfig } from './config.schema.js';
import type { Edge } from './edge.js';
import { startHomeAssistant } from './integrations/home-assistant/start.js';
import { openSite } from './rules/open.js';
import { type LiveWeb, startWeb as serve } from './web/server.js';

/**
 * Starts the page with its history and rules, unless it is switched off.
 * @throws DeepcodError `web_port`, `history_unusable`, `history_newer` (exit code 2)
 */
export async function startWeb(
  config: Pick<EdgeConfig, 'worker' | 'web' | 'history' | 'alerts' | 'metrics' | 'home_assistant'>,
  edge: Edge,
  log: Log,
): Promise<LiveWeb | undefined> {
  if (!config.web.enabled) return undefined;
  const site = config.history.enabled ? await openSite(config, edge, log) : undefined;
  try {
    const web = await serve(config.web, edge, log.child('web'), site, config.metrics);
    const home = startHomeAssistant(config.home_assistant, config.worker, edge, web.store);
    return {
      ...web,
      async close() {
        home?.close();
        await web.close();
        await site?.close();
      },
    };
  } catch (error) {
    await site?.close();
    throw error;
  }
}
