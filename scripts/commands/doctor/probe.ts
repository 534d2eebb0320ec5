import { randomBytes } from 'node:crypto';

/**
 * A message to ourselves, of this run alone. Its length is another than the agent's own pings have: a running agent, which
 * hears it too, leaves it aside.
 */
export const PROBE = randomBytes(1000);

/** Round trips that are timed, and bytes that are sent to see how fast the link is: what a run costs at most. */
export const PINGS = 10;
export const UPLOAD_BYTES = [16 * 1024, 192 * 1024] as const;

/** Most data of a run, both ways: the network checks together, without the test frame. */
export const MOST_KB = Math.ceil(((PINGS + 1) * 2 * PROBE.length + UPLOAD_BYTES[0] + UPLOAD_BYTES[1]) / 1000);
