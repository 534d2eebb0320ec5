import type { LiveDevice } from '../store/live.js';

/** Of a health message, what the machine says of itself; older devices say nothing. */
export interface SystemFacts {
  model?: string;
  temperature_c?: number;
  throttled?: { now: readonly string[] };
  wifi?: { signal_dbm: number };
}

export const systemOf = ({ health }: LiveDevice): SystemFacts | undefined =>
  (health as { system?: SystemFacts } | undefined)?.system;
