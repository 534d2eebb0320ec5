/** Causes of drops, in words; agent/health counts by these names. */
const CAUSES: Record<string, string> = {
  superseded: 'passed over for a newer picture (the device, link or edge is slower than the camera)',
  late: 'waited too long for its turn',
  timeout: 'no answer in time (link or edge too slow, or it lost the frame)',
  unsent: 'the link did not take it (it is full)',
  broker_lost: 'the connection broke while it was on its way',
  stopped: 'the agent was stopped',
  failed: 'it failed on the device (see its log)',
  result_late: 'the answer came after the time-out',
  result_damaged: 'the answer could not be read',
  refused_unknown_bundle: 'the edge has not this bundle',
  refused_overloaded: 'the edge is overloaded',
  refused_internal: 'the edge failed (see its log)',
  refused_bad_frame: 'the edge could not read it',
  refused_bad_payload: 'the edge could not decode it',
  refused_need_key_frame: 'the edge had not the frame before it',
};

/** "timeout 12 (no answer in time ...), unsent 3 (...)" @param counts by cause */
export function explainDrops(counts: readonly (readonly [string, number])[]): string {
  return counts
    .filter(([, count]) => count > 0)
    .map(([cause, count]) => `${count} ${plain(cause)}${CAUSES[cause] ? `: ${CAUSES[cause]}` : ''}`)
    .join('; ');
}

/** What came over the network must not steer the terminal. */
export const plain = (text: string): string => text.replaceAll(/\p{Cc}/gu, '?');
