import { parseJson } from './json.js';
import { compileSchema, type Schema } from './validate.js';

/** A decisions message goes over the link that it tells of. */
export const DECISIONS_MAX_BYTES = 64 * 1024;

/** What one choice was expected to cost when a decision was made. */
export interface DecisionOption {
  /** Partition id, `raw` or `device`. */
  partition: string;
  rate: number;
  /** Expected size of the frame message, bytes; 0 for `device`. */
  bytes: number;
  /** Expected times, ms: on the device, on the link both ways, at the edge (waiting included), and their sum. */
  device_ms: number;
  link_ms: number;
  edge_ms: number;
  total_ms: number;
  /** Expected energy of the device for the frame, mJ, where it counts. */
  energy_mj?: number;
  /** What was minimised: `total_ms` plus what energy and bytes are worth in ms. */
  cost_ms: number;
  /** Accuracy as a share of the uncompressed service's, where measured. */
  accuracy?: number;
}

/**
 * Why a choice was taken: the only one; the first; it was and stays the best; within the margin that keeps things
 * calm; another became better; a trial, because too little is known of it; no edge; a trial of an edge that was silent.
 */
export type DecisionReason = 'only' | 'first' | 'best' | 'margin' | 'better' | 'probe' | 'no_edge' | 'try_edge';

/** One decision with its inputs: why this point, what the others would have cost. */
export interface Decision {
  /** Number of the frame that it was made for. */
  frame: number;
  /** Milliseconds since 1970, the device's clock. */
  at: number;
  partition: string;
  rate: number;
  reason: DecisionReason;
  /** The reason as a sentence. */
  why: string;
  /** What the link is held to be: latency = base + bytes / rate; the harmonic mean of throughputs beside it. */
  link: { base_ms: number; mbps: number; harmonic_mbps: number; transfers: number };
  /** How many times slower than profiled the device and the edge are, and what frames wait at the edge, ms. */
  device_slowdown: number;
  edge_slowdown: number;
  edge_queue_ms: number;
  /** Empty in a decisions message where the choice was that of the decision before. */
  options: DecisionOption[];
}

/** Decisions that a device keeps; more are not sent. */
export const DECISIONS_MAX = 200;

/** Published at `<base>/<device>/decisions` when asked at `<base>/<device>/command/explain`. */
export interface DecisionsMessage {
  v: 1;
  device: string;
  session: number;
  /** Oldest first. */
  decisions: Decision[];
}

const amount = { type: 'number', minimum: 0 };
const name = { type: 'string', maxLength: 128, description: 'at most 128 characters' };
const rate = { type: 'integer', minimum: 0, maximum: 255 };

const optionSchema: Schema = {
  type: 'object',
  required: ['partition', 'rate', 'bytes', 'device_ms', 'link_ms', 'edge_ms', 'total_ms', 'cost_ms'],
  properties: {
    partition: name,
    rate,
    bytes: amount,
    device_ms: amount,
    link_ms: amount,
    edge_ms: amount,
    total_ms: amount,
    energy_mj: amount,
    cost_ms: amount,
    accuracy: amount,
  },
};

/** Keys that later versions add are allowed and ignored. */
export const decisionSchema: Schema = {
  title: 'one decision of an agent',
  type: 'object',
  required: ['frame', 'at', 'partition', 'rate', 'reason', 'why', 'link', 'options'],
  properties: {
    frame: { type: 'integer', minimum: 0, maximum: 0xffffffff },
    at: amount,
    partition: name,
    rate,
    reason: name,
    why: { type: 'string', maxLength: 500, description: 'at most 500 characters' },
    link: {
      type: 'object',
      required: ['base_ms', 'mbps', 'harmonic_mbps', 'transfers'],
      properties: { base_ms: amount, mbps: amount, harmonic_mbps: amount, transfers: { type: 'integer', minimum: 0 } },
    },
    device_slowdown: amount,
    edge_slowdown: amount,
    edge_queue_ms: amount,
    options: { type: 'array', maxItems: 300, items: optionSchema, description: 'at most 300 choices' },
  },
};

/** Keys that later versions add are allowed and ignored. */
export const decisionsSchema: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'DeepCOD decisions message, version 1',
  type: 'object',
  required: ['v', 'device', 'session', 'decisions'],
  properties: {
    v: { const: 1 },
    device: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$', description: '1 to 64 of A-Z a-z 0-9 _ -' },
    session: { type: 'integer', minimum: 0, maximum: 0xffffffff },
    decisions: { type: 'array', maxItems: DECISIONS_MAX, items: decisionSchema },
  },
};

const check = compileSchema<DecisionsMessage>(decisionsSchema, 'decisions message', 'message_invalid');

/** @throws ProtocolError `message_too_large`, `message_not_json`, `message_invalid` */
export function parseDecisions(bytes: Uint8Array): DecisionsMessage {
  return check(parseJson(bytes, DECISIONS_MAX_BYTES, 'decisions message'));
}
