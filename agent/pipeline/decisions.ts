import { DECISIONS_MAX_BYTES, type Decision, type DecisionsMessage } from '../../protocol/decision.js';
import { inBrief } from '../partition/trace.js';

/**
 * The answer to `explain`, as JSON of at most DECISIONS_MAX_BYTES: it goes over the link that it tells of. Options go with the
 * newest decision and with those that chose otherwise than the one before, the cheapest alone where there are very many;
 * where it is still too long, the oldest decisions are left out.
 * @param decisions oldest first
 */
export function encodeDecisions(device: string, session: number, decisions: readonly Decision[]): string {
  const message: DecisionsMessage = { v: 1, device, session, decisions: [] };
  let bytes = Buffer.byteLength(JSON.stringify(message));
  let first = decisions.length;
  while (first > 0) {
    const decision = shortened(decisions, first - 1);
    bytes += Buffer.byteLength(JSON.stringify(decision)) + 1;
    if (bytes > DECISIONS_MAX_BYTES) break;
    message.decisions.unshift(decision);
    first--;
  }
  return JSON.stringify(message);
}

function shortened(decisions: readonly Decision[], at: number): Decision {
  const decision = decisions[at];
  const before = decisions[at - 1];
  const changed = before && (before.partition !== decision.partition || before.rate !== decision.rate);
  return changed || at === decisions.length - 1 ? inBrief(decision) : { ...decision, options: [] };
}
