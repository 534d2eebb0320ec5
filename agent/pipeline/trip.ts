import type { CodingWord } from '../../protocol/frame.js';
import type { Step } from '../../protocol/health.js';
import type { Detection } from '../../protocol/result.js';
import type { Picture } from '../camera/camera.js';

/** How a frame's trip ended: with detections from the edge or the device, or lost, by cause. */
export type Outcome = 'result' | 'local' | Loss;

/**
 * Why a started frame has no result: not answered in time, not taken by the socket, the connection broke while it was on
 * its way, refused by the edge, failed here, or the agent was stopped and did not wait any longer.
 */
export type Loss = 'timeout' | 'unsent' | 'broker_lost' | 'refused' | 'failed' | 'stopped';

export type Steps = Partial<Record<Step, number>>;

/** One frame's trip, filled in as it goes. */
export interface Trip {
  readonly frame: number;
  readonly picture: Picture;
  /** Partition id, `raw` or `device`. */
  partition: string;
  rate: number;
  /** Bytes of the frame message; 0 when nothing was sent. Of the last one, if the edge asked for a key frame. */
  bytes: number;
  /** Bytes of the answer; 0 without one. */
  answerBytes: number;
  /** How long a result was waited for that did not come: until the time-out, or the refusal; ms. */
  waitedMs?: number;
  /** How it was coded; absent when nothing was sent. */
  coding?: CodingWord;
  /** Milliseconds. */
  steps: Steps;
  /** Of `head`, the part inside ONNX Runtime; ms. */
  headRunMs: number;
  /** Handing the message to the socket, ms. */
  publishMs: number;
  outcome: Outcome | undefined;
  detections: Detection[];
  /** The edge's own total, ms. */
  edgeMs?: number;
  /** Who answered. */
  worker?: string;
  /** The edge's code of a refusal. */
  refusal?: string;
  /** With `overloaded`: how long the edge says that the frame would have waited, ms. */
  refusedWaitMs?: number;
  /** The edge that it was sent to by name. */
  sentTo?: string;
  /** What its message carries for those who trace it. */
  traceparent?: string;
  /** performance.now() when the picture came. */
  readonly startedAt: number;
}

/** @param startedAt performance.now() */
export function newTrip(frame: number, picture: Picture, startedAt: number): Trip {
  return {
    frame,
    picture,
    partition: '',
    rate: 0,
    bytes: 0,
    answerBytes: 0,
    steps: { capture: picture.captureMs },
    headRunMs: 0,
    publishMs: 0,
    outcome: undefined,
    detections: [],
    startedAt,
  };
}
