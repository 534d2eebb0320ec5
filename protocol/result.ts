import { parseJson } from './json.js';
import { resultSchema } from './result.schema.js';
import { compileSchema } from './validate.js';

/** Largest result message that is read. */
export const RESULT_MAX_BYTES = 256 * 1024;

/** One box of a picture, in pixels of the source picture (before letterboxing). */
export interface Detection {
  /** Index into the service's classes. */
  class: number;
  label: string;
  /** 0..1 */
  score: number;
  /** x and y of the top left corner, width, height; pixels of the source picture, cut to it. */
  box: [x: number, y: number, width: number, height: number];
}

/** The edge's own clock, milliseconds: waiting, entropy decoding, tail (inference), post-processing, and all of it. */
export interface EdgeTimes {
  queue: number;
  decode: number;
  tail: number;
  post: number;
  /** From the message's arrival to the answer's departure. */
  total: number;
}

/** The answer to a frame. */
export interface FrameResult {
  v: 1;
  session: number;
  frame: number;
  bundle: string;
  /** Partition id, or `raw`. */
  partition: string;
  rate: number;
  worker: string;
  /** Size of the source picture. */
  width: number;
  height: number;
  detections: Detection[];
  edge_ms: EdgeTimes;
  /** Made by the device itself: `edge_ms` are its own times. */
  local?: boolean;
  /** When the picture was taken, milliseconds since 1970 by the device's clock. */
  at?: number;
  /** Kept while the broker was away, and published afterwards. */
  late?: boolean;
}

/** Why a frame has no result. Programs treat codes they do not know like `internal`. */
export type FrameFailureCode =
  /** The edge has no bundle with this id. */
  | 'unknown_bundle'
  | 'unknown_partition'
  | 'unknown_rate'
  /** Frame message of another version. */
  | 'unsupported_version'
  /** This edge does not read this coding. */
  | 'unsupported_coding'
  /** The header is whole and contradicts itself or the bundle. */
  | 'bad_frame'
  /** The payload does not decode to exactly the expected symbols. */
  | 'bad_payload'
  /** Newer frames took this one's place in the queue: slow down. */
  | 'overloaded'
  /** The predicted frame's reference is not here: send one that stands alone. */
  | 'need_key_frame'
  /** The edge failed; the next frame may succeed. */
  | 'internal';

/** The answer to a frame that could not be used. */
export interface FrameFailure {
  v: 1;
  session: number;
  frame: number;
  bundle: string;
  worker: string;
  error: {
    code: FrameFailureCode | (string & {});
    message: string;
    hint?: string;
    /** With `overloaded`: how long the frame would have waited, ms. */
    wait_ms?: number;
  };
}

export type ResultMessage = FrameResult | FrameFailure;

export const isFailure = (message: ResultMessage): message is FrameFailure => 'error' in message;

const check = compileSchema<ResultMessage>(resultSchema, 'result message', 'message_invalid');

/**
 * Writes a result message. Scores are rounded to 4 decimals, boxes to 1/100 pixel, times to 1 microsecond.
 * @returns JSON text
 */
export function encodeResult(message: ResultMessage): string {
  if (isFailure(message)) return JSON.stringify(message);
  const detections = message.detections.map((d) => ({
    class: d.class,
    label: d.label,
    score: round(d.score, 1e4),
    box: d.box.map((v) => round(v, 1e2)),
  }));
  const t = message.edge_ms;
  const edge_ms = {
    queue: round(t.queue, 1e3),
    decode: round(t.decode, 1e3),
    tail: round(t.tail, 1e3),
    post: round(t.post, 1e3),
    total: round(t.total, 1e3),
  };
  return JSON.stringify({ ...message, detections, edge_ms });
}

/**
 * Reads a result message.
 * @throws ProtocolError `message_too_large`, `message_not_json`, `message_invalid`
 */
export function parseResult(bytes: Uint8Array): ResultMessage {
  return check(parseJson(bytes, RESULT_MAX_BYTES, 'result message'));
}

const round = (value: number, steps: number): number => Math.round(value * steps) / steps;
