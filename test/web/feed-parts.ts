export { codedFrame, Device, header, rawFrame, recordedLog, tinyConfig, until } from '../edge/harness.js';

/** A health message as a device sends it. @returns JSON */
export function encodeHealth(device: string): string {
  const steps_ms = { capture: 10, head: 5, total: 40 };
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
  });
}
