import type { FrameResult } from '../../protocol/result.js';
import type { Trip } from './trip.js';

/** The message for a trip that ended on the device. Its times stand where an edge's would. */
export function localResult(trip: Trip, session: number, bundleId: string, device: string): FrameResult {
  const { head = 0, post = 0 } = trip.steps;
  const { sourceWidth, sourceHeight, capturedAt } = trip.picture;
  return {
    v: 1,
    session,
    frame: trip.frame,
    bundle: bundleId,
    partition: trip.partition,
    rate: trip.rate,
    worker: device,
    width: sourceWidth,
    height: sourceHeight,
    detections: trip.detections,
    edge_ms: { queue: 0, decode: 0, tail: head, post, total: head + post },
    local: true,
    at: Math.round(Date.now() - (performance.now() - capturedAt)),
  };
}
