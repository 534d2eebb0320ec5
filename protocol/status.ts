import { parseJson } from './json.js';
import { compileSchema, type Schema } from './validate.js';

export const STATUS_MAX_BYTES = 64 * 1024;

/** Retained at `<base>/<device>/status`; `{"online":false}` is the last will. */
export interface DeviceStatus {
  online: boolean;
  session?: number;
  bundle?: { id: string; name: string };
  /** Whether it follows commands. */
  commands?: boolean;
  versions?: Record<string, string>;
}

/** Retained at `<base>/edge/<worker>/status`; `{"online":false}` is the last will. */
export interface EdgeStatus {
  online: boolean;
  worker?: string;
  /** Execution provider of the tails: cpu, cuda, ... */
  provider?: string;
  bundles?: { id: string; name: string }[];
  /** Frames since the start: taken in, answered with a result, answered with an error. */
  frames?: number;
  results?: number;
  errors?: number;
  /** Runs of a tail since the start, each of one frame or several. */
  batches?: number;
  /** Frames not answered with a result, by cause. */
  drops?: Record<string, number>;
  /** p50 of recent frames, milliseconds. */
  steps_ms?: Partial<Record<'queue' | 'decode' | 'tail' | 'post' | 'total', number>>;
  /** How busy the inference threads were lately, 0 to 1. */
  load?: number;
  /** It takes frames at `<base>/<device>/frame/<worker>` too. */
  direct?: boolean;
  /** With `online` false: it finishes what it has, and answers it; nothing new should come. */
  leaving?: boolean;
  /** How long a frame that comes now would wait, as far as is known, ms. */
  queue_ms?: number;
  /** Milliseconds of decoding and running each tail, measured at start-up: by bundle id, then partition id (`raw` too). */
  tails_ms?: Record<string, Record<string, TailTime[]>>;
  uptime_s?: number;
  versions?: Record<string, string>;
}

/** A tail's time for one batch size: mean and standard deviation of its runs, ms for the whole batch. */
export interface TailTime {
  batch: number;
  mean: number;
  deviation: number;
}

export type StatusMessage = DeviceStatus & EdgeStatus;

/** What an edge says before it finishes what it has. */
export const LEAVING = JSON.stringify({ online: false, leaving: true } satisfies EdgeStatus);

export const OFFLINE = JSON.stringify({ online: false } satisfies DeviceStatus);

const count = { type: 'integer', minimum: 0 };
const amount = { type: 'number', minimum: 0 };
const name = { type: 'string', maxLength: 128, description: 'at most 128 characters' };
const bundle = {
  type: 'object',
  required: ['id', 'name'],
  properties: { id: { type: 'string', pattern: '^[0-9a-f]{16}$', description: '16 lower-case hex digits' }, name },
};

const tailTimes = {
  type: 'array',
  maxItems: 16,
  items: {
    type: 'object',
    required: ['batch', 'mean', 'deviation'],
    properties: { batch: { type: 'integer', minimum: 1 }, mean: amount, deviation: amount },
  },
};

/** Status of a device or an edge. Keys that later versions add are allowed and ignored. */
export const statusSchema: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'DeepCOD status message, version 1',
  type: 'object',
  required: ['online'],
  properties: {
    online: { type: 'boolean' },
    session: { type: 'integer', minimum: 0, maximum: 0xffffffff },
    bundle,
    commands: { type: 'boolean' },
    worker: name,
    provider: name,
    bundles: { type: 'array', maxItems: 256, items: bundle, description: 'at most 256 bundles' },
    frames: count,
    results: count,
    errors: count,
    batches: count,
    drops: { type: 'object', maxProperties: 64, additionalProperties: count },
    steps_ms: { type: 'object', maxProperties: 64, additionalProperties: amount },
    load: { type: 'number', minimum: 0, maximum: 1 },
    direct: { type: 'boolean' },
    leaving: { type: 'boolean' },
    queue_ms: amount,
    tails_ms: {
      type: 'object',
      maxProperties: 64,
      additionalProperties: { type: 'object', maxProperties: 64, additionalProperties: tailTimes },
    },
    uptime_s: amount,
    versions: { type: 'object', maxProperties: 64, additionalProperties: name },
  },
};

const check = compileSchema<StatusMessage>(statusSchema, 'status message', 'message_invalid');

/** @throws ProtocolError `message_too_large`, `message_not_json`, `message_invalid` */
export function parseStatus(bytes: Uint8Array): StatusMessage {
  return check(parseJson(bytes, STATUS_MAX_BYTES, 'status message'));
}
