import type { Decision } from '../../protocol/decision.js';
import type { CodingWord } from '../../protocol/frame.js';
import type { Step } from '../../protocol/health.js';
import type { PlacedDetection } from '../rules/places.js';

/** How much is kept at most. */
export interface LiveLimits {
  devices: number;
  workers: number;
  /** Last answered frames of a device. */
  trips: number;
  /** Last different errors of a device. */
  errors: number;
  /** One compressed picture, and all of them together. */
  snapshotBytes: number;
  allSnapshotBytes: number;
}

/** A frame message as it arrived. */
export interface FrameInfo {
  session: number;
  frame: number;
  /** Partition id, `raw` or `device`. */
  partition: string;
  rate: number;
  /** Of the whole message. */
  bytes: number;
  /** How it was coded, where known. */
  coding?: CodingWord;
}

/** One frame's trip as its device measured it. */
export interface TripInfo extends FrameInfo {
  /** Milliseconds. */
  steps: Partial<Record<Step, number>>;
  /** How it ended; without an answer (neither `result` nor `local`) it is not charted: the health counts it. */
  outcome?: string;
}

/** A compressed picture of one frame. */
export interface Snapshot {
  session: number;
  frame: number;
  type: 'image/jpeg' | 'image/webp' | 'image/png';
  data: Uint8Array;
  width: number;
  height: number;
  /** `input`: the pixels that the service saw. `snapshot`: the camera's picture, handed over beside the frame. */
  from: 'input' | 'snapshot';
}

/** An answered frame, as the charts and the table want it. */
export interface LiveTrip {
  /** The store's sequence at its last change. */
  sequence: number;
  session: number;
  frame: number;
  /** Milliseconds since 1970: when it came; by the device's clock, when the picture was taken, for one that was kept. */
  at: number;
  partition: string;
  rate: number;
  /** 0 where nothing was sent or nobody knows. */
  bytes: number;
  /** How its frame was coded, where known. */
  coding?: CodingWord;
  steps: Partial<Record<Step, number>>;
  /** Whether every step was measured on this frame; otherwise the device's steps are its recent medians. */
  exact: boolean;
  worker: string;
  /** How many of each label. */
  found: Record<string, number>;
}

/** The newest decision heard of, with all its options. */
export interface LiveDecision extends Decision {
  /** The store's sequence when it was heard. */
  sequence: number;
  session: number;
  /** When it was heard, milliseconds since 1970 on this machine's clock. */
  heard: number;
}

/** Why a frame was cut where it was: a decision without its options, for the past. */
export interface LiveReason extends Pick<Decision, 'frame' | 'partition' | 'rate' | 'reason' | 'why'> {
  sequence: number;
  session: number;
}

/** Boxes, and the picture they belong to where there is one. */
export interface Shown {
  session: number;
  frame: number;
  /** Of the source picture: boxes are in its pixels. */
  width: number;
  height: number;
  /** With their zones, where there are any. */
  detections: readonly PlacedDetection[];
  snapshot?: Snapshot;
  /** False when a picture has no answer: its boxes are not known. */
  answered: boolean;
}

/** What went wrong for a device; the same again is counted, not repeated. */
export interface LiveError {
  code: string;
  message: string;
  hint?: string;
  count: number;
  /** Milliseconds since 1970, of the last time. */
  at: number;
}
