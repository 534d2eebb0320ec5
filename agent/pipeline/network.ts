/** Shortest time on a link that is believed, ms: clocks have limits. */
const SHORTEST_MS = 0.01;

/**
 * Splits a round trip. Network time is the round trip on the device's clock minus the time that the edge measured on its
 * own clock: clocks of two machines are never subtracted. How it divides into up and down cannot be seen from here; it
 * is divided by the bytes that went each way.
 * @param roundTripMs from handing the frame over to the answer's arrival
 * @param edgeMs the edge's own total
 */
export function splitNetwork(
  roundTripMs: number,
  edgeMs: number,
  bytesUp: number,
  bytesDown: number,
): { up: number; down: number } {
  const network = Math.max(SHORTEST_MS, roundTripMs - edgeMs);
  const up = (network * bytesUp) / (bytesUp + bytesDown);
  return { up, down: network - up };
}
