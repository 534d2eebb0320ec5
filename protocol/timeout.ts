/** MQTT 5 user property of a frame: how long its sender waits for the answer, whole milliseconds from sending it. */
export const TIMEOUT_PROPERTY = 'timeout_ms';

/** Longest that is believed, ms. */
const LONGEST = 3_600_000;

/** Reads the property; undefined for none, or for what is no number of milliseconds. Never throws: it comes from outside. */
export function parseTimeout(value: string | readonly string[] | undefined): number | undefined {
  if (typeof value !== 'string' || !/^[0-9]{1,7}$/.test(value)) return undefined;
  return Math.min(LONGEST, Number(value));
}
