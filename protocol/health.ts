import { type Decision, decisionSchema } from './decision.js';
import type { CodingWord } from './frame.js';
import { parseJson } from './json.js';
import { type UpdateStatus, updateStatusSchema } from './update/status.js';
import { compileSchema, type Schema } from './validate.js';

export const HEALTH_MAX_BYTES = 64 * 1024;

/** Steps of one frame's trip, in order. */
export const STEPS = [
  'capture',
  'preprocess',
  'head',
  'encode',
  'up',
  'queue',
  'decode',
  'tail',
  'post',
  'down',
  'total',
] as const;
export type Step = (typeof STEPS)[number];

export const CAMERA_STATES = ['running', 'starting', 'stalled', 'gone', 'busy', 'failed'] as const;

/** How a camera is doing. */
export interface CameraHealth {
  /** Pictures come; none came yet; none come any more; it is not there; somebody else holds it; anything else. */
  state: (typeof CAMERA_STATES)[number];
  /** Which camera, in one line. */
  description: string;
  /** Seconds in this state. */
  since_s: number;
  /** How often it was started again. */
  restarts: number;
  /** What is wrong and what to do about it. */
  message?: string;
}

/** What the firmware of a Raspberry Pi reports of power and heat (`vcgencmd get_throttled`). */
export const THROTTLE_CAUSES = ['under_voltage', 'frequency_capped', 'throttled', 'soft_temperature_limit'] as const;
export type ThrottleCause = (typeof THROTTLE_CAUSES)[number];

/** The machine that a device is. What it cannot tell is absent. */
export interface SystemHealth {
  /** /proc/device-tree/model: `Raspberry Pi 5 Model B Rev 1.0`. */
  model?: string;
  /** Of the processor, degrees Celsius. */
  temperature_c?: number;
  /** What slows it down at present, and what did at some time since it was switched on. */
  throttled?: { now: ThrottleCause[]; since_boot: ThrottleCause[] };
  /** What the board's own power chip measures (Raspberry Pi 5), watts. */
  power_w?: number;
  /** Share of all processors that was busy lately, 0 to 1. */
  cpu?: number;
  /** Processes that run or wait, mean of a minute. */
  load1?: number;
  /** Bytes. */
  memory?: { total: number; available: number };
  swap_used?: number;
  /** Bytes that are free where the state lies. */
  disk_free_bytes?: number;
  /** The interface that is connected; signal in dBm, quality 0 to 1. */
  wifi?: { interface: string; signal_dbm: number; quality: number };
  /** Since it was switched on, seconds. */
  uptime_s?: number;
  /** Whether the clock is right, as far as the kernel was told. */
  clock_synchronised?: boolean;
  /** Whether the root file system cannot be written. */
  read_only_root?: boolean;
}

/** What a device says of itself every few seconds, retained at `<base>/<device>/health`. */
export interface HealthMessage {
  v: 1;
  device: string;
  session: number;
  uptime_s: number;
  bundle?: { id: string; name: string };
  /** Partition id in use, `raw` or `device`. */
  partition?: string;
  rate?: number;
  /** Results per second, recent. */
  fps?: number;
  /** Frames taken, results received, and frames sent without an answer, since the start. */
  frames?: number;
  results?: number;
  lost?: number;
  /** Frames not sent, by cause. */
  drops?: Record<string, number>;
  /** Results of the edge by how their frames were coded, since the start. */
  coding?: Partial<Record<CodingWord, number>>;
  /** p50 of recent frames, milliseconds. */
  steps_ms?: Partial<Record<Step, number>>;
  bytes_mean?: number;
  bandwidth_bps?: number;
  /** The latest decision; its reason is `only` where the settings leave no choice. */
  decision?: Decision;
  /** Results of frames answered here that are kept until the broker takes them. */
  waiting_results?: number;
  rss_bytes?: number;
  /** Absent where pictures do not come from a camera. */
  camera?: CameraHealth;
  system?: SystemHealth;
  versions?: Record<string, string>;
  /** How an update goes, or how the last one ended; docs/updates.md. */
  update?: Pick<UpdateStatus, 'state' | 'release' | 'progress' | 'reason' | 'previous'>;
}

const count = { type: 'integer', minimum: 0 };
const amount = { type: 'number', minimum: 0 };
const share = { type: 'number', minimum: 0, maximum: 1 };
const causes = { type: 'array', maxItems: 8, items: { enum: [...THROTTLE_CAUSES] } };
const name = { type: 'string', maxLength: 128, description: 'at most 128 characters' };

/** Keys that later versions add are allowed and ignored. */
export const healthSchema: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'DeepCOD health message, version 1',
  type: 'object',
  required: ['v', 'device', 'session', 'uptime_s'],
  properties: {
    v: { const: 1 },
    device: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$', description: '1 to 64 of A-Z a-z 0-9 _ -' },
    session: { type: 'integer', minimum: 0, maximum: 0xffffffff },
    uptime_s: amount,
    bundle: {
      type: 'object',
      required: ['id', 'name'],
      properties: { id: { type: 'string', pattern: '^[0-9a-f]{16}$', description: '16 lower-case hex digits' }, name },
    },
    partition: name,
    rate: { type: 'integer', minimum: 0, maximum: 255 },
    fps: amount,
    frames: count,
    results: count,
    lost: count,
    drops: { type: 'object', maxProperties: 64, additionalProperties: count },
    coding: { type: 'object', maxProperties: 8, additionalProperties: count },
    steps_ms: { type: 'object', maxProperties: 64, additionalProperties: amount },
    bytes_mean: amount,
    bandwidth_bps: amount,
    decision: decisionSchema,
    waiting_results: count,
    rss_bytes: amount,
    camera: {
      type: 'object',
      required: ['state', 'description', 'since_s', 'restarts'],
      properties: {
        state: { enum: [...CAMERA_STATES] },
        description: { type: 'string', maxLength: 512 },
        since_s: amount,
        restarts: count,
        message: { type: 'string', maxLength: 1024 },
      },
    },
    system: {
      type: 'object',
      properties: {
        model: name,
        temperature_c: { type: 'number' },
        throttled: { type: 'object', required: ['now', 'since_boot'], properties: { now: causes, since_boot: causes } },
        power_w: amount,
        cpu: share,
        load1: amount,
        memory: { type: 'object', required: ['total', 'available'], properties: { total: count, available: count } },
        swap_used: count,
        disk_free_bytes: count,
        wifi: {
          type: 'object',
          required: ['interface', 'signal_dbm', 'quality'],
          properties: { interface: name, signal_dbm: { type: 'number' }, quality: share },
        },
        uptime_s: amount,
        clock_synchronised: { type: 'boolean' },
        read_only_root: { type: 'boolean' },
      },
    },
    versions: { type: 'object', maxProperties: 64, additionalProperties: name },
    update: { type: 'object', required: ['state'], properties: updateStatusSchema.properties },
  },
};

const check = compileSchema<HealthMessage>(healthSchema, 'health message', 'message_invalid');

/** @throws ProtocolError `message_too_large`, `message_not_json`, `message_invalid` */
export function parseHealth(bytes: Uint8Array): HealthMessage {
  return check(parseJson(bytes, HEALTH_MAX_BYTES, 'health message'));
}
