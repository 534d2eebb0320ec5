import { parseJson } from '../json.js';
import { compileSchema, type Schema } from '../validate.js';

const STATUS_MAX_BYTES = 8 * 1024;

/**
 * What a device's updater does: nothing; fetches files; checks and tries what it has fetched; waits (for an edge, for room on
 * the disk, for its turn); goes over to it; watches the results. And how the last release ended: kept, refused, rolled back.
 */
export const UPDATE_STATES = [
  'idle',
  'fetching',
  'verifying',
  'waiting',
  'switching',
  'probation',
  'kept',
  'refused',
  'rolled_back',
] as const;
export type UpdateState = (typeof UPDATE_STATES)[number];

/** A release as a status names it. */
export interface ReleaseName {
  kind: 'bundle' | 'config';
  sequence: number;
  /** SHA-256 of what was signed. */
  digest: string;
  bundle?: string;
}

/** Retained at `<base>/<device>/update/status`. */
export interface UpdateStatus {
  v: 1;
  device: string;
  state: UpdateState;
  /** The release that the state is about. */
  release?: ReleaseName;
  /** Bytes that were to fetch, and those that are there. */
  progress?: { bytes: number; total: number };
  /** Why it waits, was refused, or was rolled back: a word for programs, a sentence for people. */
  reason?: { code: string; message: string };
  /** Bundle that runs, and the one that it would go back to. */
  running: string;
  previous?: string;
  /** Highest sequence that was accepted, by kind; 0: none. */
  sequences: { bundle: number; config: number };
  /** Ids of the keys that the device trusts. */
  keys: string[];
}

const id = { type: 'string', pattern: '^[0-9a-f]{16}$', description: '16 lower-case hex digits' };
const count = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER };

/** Keys that later versions add are allowed and ignored. */
export const updateStatusSchema: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'DeepCOD update status, version 1',
  type: 'object',
  required: ['v', 'device', 'state', 'running', 'sequences', 'keys'],
  properties: {
    v: { const: 1 },
    device: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$', description: '1 to 64 of A-Z a-z 0-9 _ -' },
    state: { enum: [...UPDATE_STATES] },
    release: {
      type: 'object',
      required: ['kind', 'sequence', 'digest'],
      properties: {
        kind: { enum: ['bundle', 'config'] },
        sequence: count,
        digest: { type: 'string', pattern: '^[0-9a-f]{64}$' },
        bundle: id,
      },
    },
    progress: { type: 'object', required: ['bytes', 'total'], properties: { bytes: count, total: count } },
    reason: {
      type: 'object',
      required: ['code', 'message'],
      properties: { code: { type: 'string', maxLength: 64 }, message: { type: 'string', maxLength: 1000 } },
    },
    running: id,
    previous: id,
    sequences: { type: 'object', required: ['bundle', 'config'], properties: { bundle: count, config: count } },
    keys: { type: 'array', maxItems: 64, items: id },
  },
};

const check = compileSchema<UpdateStatus>(updateStatusSchema, 'update status', 'message_invalid');

/** @throws ProtocolError `message_too_large`, `message_not_json`, `message_invalid` */
export function parseUpdateStatus(bytes: Uint8Array): UpdateStatus {
  return check(parseJson(bytes, STATUS_MAX_BYTES, 'update status'));
}
