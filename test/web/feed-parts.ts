export { bundleCopy, codedFrame, Device, header, rawFrame, recordedLog, tinyConfig, until } from '../edge/harness.js';

/** A health message as a device sends it. @returns JSON */
export function encodeHealth(device: string): string {
  const steps_ms = { capture: 10, head: 5, total: 40 };
  const decision = {
    ...{ frame: 9, at: 5, partition: 'input', rate: 0, reason: 'better', why: 'the link became slow' },
    link: { base_ms: 10, mbps: 2, harmonic_mbps: 1.5, transfers: 4 },
    options: [{ partition: 'input', rate: 0, bytes: 9, device_ms: 1, link_ms: 2, edge_ms: 3, total_ms: 6, cost_ms: 6 }],
  };
  return JSON.stringify({
    v: 1,
    device,
    session: 99,
    uptime_s: 3,
    fps: 4.5,
    frames: 9,
    results: 8,
    lost: 1,
    drops: { timeout: 1 },
    steps_ms,
    decision,
    waiting_results: 2,
  });
}
