import { ProtocolError } from '../errors.js';
import { parseJson } from '../json.js';
import { compileSchema, type Schema } from '../validate.js';
import { CHUNK_BYTES } from './chunks.js';
import { FILE_MAX_BYTES, RELEASE_MAX_BYTES, type SignedRelease, validateRelease } from './release.js';

/** Releases in one offer, at most: the newest of each kind, and one of each that goes back. */
export const OFFER_RELEASES = 4;
export const OFFER_MAX_BYTES = OFFER_RELEASES * RELEASE_MAX_BYTES + 1024;
const REQUEST_MAX_BYTES = 1024;

/** What an edge has for a device, retained at `<base>/<device>/update/offer/<worker>`. */
export interface Offer {
  v: 1;
  releases: SignedRelease[];
}

/** Reads an offer; releases that are none are left out and told. @throws ProtocolError for bytes that are no offer */
export function parseOffer(bytes: Uint8Array, damaged: (error: ProtocolError) => void): Offer {
  const value = parseJson(bytes, OFFER_MAX_BYTES, 'update offer') as { v?: unknown; releases?: unknown } | null;
  if (value?.v !== 1 || !Array.isArray(value.releases) || value.releases.length > OFFER_RELEASES) {
    throw new ProtocolError('message_invalid', `update offer: v 1 with at most ${OFFER_RELEASES} releases`);
  }
  const releases: SignedRelease[] = [];
  for (const release of value.releases) {
    try {
      releases.push(validateRelease(release));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      damaged(error);
    }
  }
  return { v: 1, releases };
}

/** A device asks an edge for a piece of a file, at `<base>/<device>/update/request`. */
export interface ChunkRequest {
  v: 1;
  /** Comes back with the answer. */
  id: number;
  /** Name of the edge that should answer. */
  edge: string;
  /** SHA-256 of the file. */
  file: string;
  /** The file itself, or its chunk list. */
  of: 'data' | 'list';
  at: number;
  bytes: number;
}

const requestSchema: Schema = {
  type: 'object',
  required: ['v', 'id', 'edge', 'file', 'of', 'at', 'bytes'],
  properties: {
    v: { const: 1 },
    id: { type: 'integer', minimum: 0, maximum: 0xffffffff },
    edge: { type: 'string', maxLength: 64 },
    file: { type: 'string', pattern: '^[0-9a-f]{64}$' },
    of: { enum: ['data', 'list'] },
    at: { type: 'integer', minimum: 0, maximum: FILE_MAX_BYTES },
    bytes: { type: 'integer', minimum: 1, maximum: CHUNK_BYTES },
  },
};

const checkRequest = compileSchema<ChunkRequest>(requestSchema, 'chunk request', 'message_invalid');

/** @throws ProtocolError `message_too_large`, `message_not_json`, `message_invalid` */
export function parseRequest(bytes: Uint8Array): ChunkRequest {
  return checkRequest(parseJson(bytes, REQUEST_MAX_BYTES, 'chunk request'));
}

/** How an edge answers: the bytes; it has no such file; it was asked too much lately; the file has no such bytes. */
export const ChunkAnswer = { data: 0, unknown: 1, busy: 2, range: 3 } as const;
export type ChunkAnswer = (typeof ChunkAnswer)[keyof typeof ChunkAnswer];

/** "DU", little endian. */
const MAGIC = 0x5544;
const VERSION = 1;
const HEADER_BYTES = 8;

/**
 * An answer at `<base>/<device>/update/chunk`: magic (2 bytes), version (1), kind of answer (1), the request's id (4), then the
 * bytes that were asked for; integers little endian.
 */
export function encodeChunk(id: number, answer: ChunkAnswer, data: Uint8Array = new Uint8Array()): Buffer {
  const message = Buffer.alloc(HEADER_BYTES + data.length);
  message.writeUInt16LE(MAGIC, 0);
  message.writeUInt8(VERSION, 2);
  message.writeUInt8(answer, 3);
  message.writeUInt32LE(id, 4);
  message.set(data, HEADER_BYTES);
  return message;
}

/** @returns undefined for what is no answer; never throws: untrusted */
export function parseChunk(message: Buffer): { id: number; answer: ChunkAnswer; data: Buffer } | undefined {
  if (message.length < HEADER_BYTES || message.length > HEADER_BYTES + CHUNK_BYTES) return undefined;
  if (message.readUInt16LE(0) !== MAGIC || message[2] !== VERSION || message[3] > ChunkAnswer.range) return undefined;
  return {
    id: message.readUInt32LE(4),
    answer: message[3] as ChunkAnswer,
    data: message.subarray(HEADER_BYTES),
  };
}
