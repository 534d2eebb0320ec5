import { encodeResult, type FrameResult } from '../../protocol/result.js';
import type { Trip } from './trip.js';

/** A result that was made on the device says so. Readers that do not know the key see an ordinary result. */
export interface LocalFrameResult extends FrameResult {
  local: true;
}

/** The message for a trip that ended on the device. Its times stand where an edge's would. @returns JSON */
export function encodeLocalResult(trip: Trip, session: number, bundleId: string, device: string): string {
  const { head = 0, post = 0 } = trip.steps;
  const message: LocalFrameResult = {
    v: 1,
    session,
    frame: trip.frame,
    bundle: bundleId,
    partition: trip.partition,
    rate: trip.rate,
    worker: device,
    width: trip.picture.sourceWidth,
    height: trip.picture.sourceHeight,
    detections: trip.detections,
    edge_ms: { queue: 0, decode: 0, tail: head, post, total: head + post },
    local: true,
  };
  return encodeResult(message);
}
