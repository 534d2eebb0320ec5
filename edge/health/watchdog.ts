import type { Notifier } from '../../platform/systemd/notify.js';
import { Watchdog } from '../../platform/systemd/watchdog.js';
import type { Edge } from '../edge.js';

/**
 * The edge's watchdog: fed by frames that were answered; without frames, by inference threads that answer when they are
 * called. Frames that wait while none is answered feed nothing.
 */
export function watchEdge(edge: Edge, manager: Notifier): Watchdog {
  const watchdog = new Watchdog(manager, async () => {
    if (edge.busy) return undefined;
    await edge.prove();
    return 'no frames';
  });
  edge.onAnswer(({ answer }) => {
    if (!('error' in answer)) watchdog.progress();
  });
  return watchdog;
}
