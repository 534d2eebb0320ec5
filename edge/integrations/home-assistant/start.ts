import type { Edge } from '../../edge.js';
import type { LiveStore } from '../../store/live.js';
import type { HomeAssistantConfig } from './config.js';
import { HomeAssistant } from './home-assistant.js';

/** Begins to tell Home Assistant, where that is wanted. */
export function startHomeAssistant(
  config: HomeAssistantConfig,
  worker: string,
  { link, topics, bundles }: Pick<Edge, 'link' | 'topics' | 'bundles'>,
  store: LiveStore,
): HomeAssistant | undefined {
  if (!config.enabled) return undefined;
  return new HomeAssistant({ config, worker, topics, bundles, store, broker: link.broker });
}
