import type { Log } from '../../platform/log.js';
import { unlessAborted } from '../../platform/wait.js';
import type { EdgeWatch } from '../partition/edges.js';
import type { Engine } from './engine.js';
import type { AgentLink } from './link.js';

/** How long the first frame waits for the broker and an edge to show up, ms. */
const BROKER_PATIENCE_MS = 3000;
const EDGE_PATIENCE_MS = 1500;

/** Measures or recalls what the decision needs, and lets broker and edge show up. */
export async function prepare(
  engine: Engine,
  { broker }: AgentLink,
  edges: EdgeWatch,
  stop: AbortSignal,
  log: Log,
): Promise<void> {
  const edgeThere = broker.ready(BROKER_PATIENCE_MS).then((up) => up && edges.waitForOne(EDGE_PATIENCE_MS));
  await engine.measure();
  if (await unlessAborted(edgeThere, stop)) return;
  if (!broker.connected || engine.planner.staysHere('use')) return;
  const { fallback, base } = engine.config;
  const instead = fallback ? 'the service runs on this device until one answers' : 'frames are lost until one answers';
  log.warn(`no edge has announced itself at the broker: ${instead}`, { base });
}
