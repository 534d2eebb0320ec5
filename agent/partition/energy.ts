/** What a device draws, watts: doing nothing, computing on all cores, sending by radio. */
export interface PowerModel {
  idle_w: number;
  busy_w: number;
  send_w: number;
}

/**
 * Energy of one frame above doing nothing, mJ: computing, and sending while the link is busy with it. Waiting for the
 * edge costs what idling costs, and that is drawn anyway.
 * @param deviceMs computing on the device @param linkMs on the link, both ways
 */
export function energyOf({ idle_w, busy_w, send_w }: PowerModel, deviceMs: number, linkMs: number): number {
  return (busy_w - idle_w) * deviceMs + (send_w - idle_w) * linkMs;
}
