import { crc32 } from 'node:zlib';
import { ProtocolError, type ProtocolErrorCode } from './errors.js';
import { REFERENCE_CHECKSUM_BYTES } from './reference.js';

/** Bytes before the payload. */
export const FRAME_HEADER_BYTES = 36;
/** Largest frame message, header included. Larger ones are refused unread. */
export const FRAME_MAX_BYTES = 2 * 1024 * 1024;
/** "DC" read as little endian. */
export const FRAME_MAGIC = 0x4344;
export const FRAME_VERSION = 1;
/** Partition index of a frame that carries the picture instead of symbols. */
export const PARTITION_RAW = 255;

/** What the payload holds. */
export const Coding = {
  /** Letterboxed picture, height x width x 3 bytes, RGB. */
  raw: 0,
  /** Entropy-coded symbols that stand alone. */
  intra: 1,
  /** Entropy-coded symbols predicted from the frame `reference` numbers before; see protocol/reference.ts. */
  inter: 2,
  /** Letterboxed picture as a JPEG file. */
  jpeg: 3,
} as const;
export type Coding = (typeof Coding)[keyof typeof Coding];

/** How a frame was coded, in words: pixels, a key frame (stands alone), against an earlier frame, or a JPEG file. */
export type CodingWord = 'raw' | 'key' | 'inter' | 'jpeg';
export const codingWords: Record<Coding, CodingWord> = { 0: 'raw', 1: 'key', 2: 'inter', 3: 'jpeg' };

/** Where the fields lie; docs/protocol.md has the same table. */
const at = {
  magic: 0,
  version: 2,
  coding: 3,
  bundle: 4,
  session: 12,
  frame: 16,
  partition: 20,
  rate: 21,
  reference: 22,
  sourceWidth: 24,
  sourceHeight: 26,
  payloadLength: 28,
  crc: 32,
} as const;

/** What the header says of a frame. */
export interface FrameHeader {
  coding: Coding;
  /** Bundle id, 16 lower-case hex digits. */
  bundleId: string;
  /** Random number of one agent start, 0..2^32-1. */
  session: number;
  /** Number of the frame in its session, 0..2^32-1. */
  frame: number;
  /** Index into the manifest's `partitions`, or PARTITION_RAW. */
  partition: number;
  /** Index into the partition's `rates`. */
  rate: number;
  /** 0 = stands alone; n = predicted from frame number `frame - n`. */
  reference: number;
  /** Size of the camera's picture before letterboxing, pixels, 1..65535. */
  sourceWidth: number;
  sourceHeight: number;
}

export interface Frame extends FrameHeader {
  /** View into the message, not a copy: valid as long as the message is. */
  payload: Uint8Array;
}

/** The fields that keep their place in every version of the header: enough to answer a frame that cannot be used. */
export interface FrameIdentity {
  bundleId: string;
  session: number;
  frame: number;
}

/** A frame message that cannot be used. `identity` is there only when the checksum proved the header true. */
export class FrameError extends ProtocolError {
  override readonly name = 'FrameError';
  constructor(
    code: ProtocolErrorCode,
    message: string,
    readonly identity?: FrameIdentity,
  ) {
    super(code, message);
  }
}

/**
 * Builds a frame message.
 * @param header fields; each is checked against its range
 * @param payload at most FRAME_MAX_BYTES - FRAME_HEADER_BYTES bytes, at least 1
 * @returns a new buffer
 * @throws FrameError for a field out of range
 */
export function encodeFrame(header: FrameHeader, payload: Uint8Array): Uint8Array {
  const message = new Uint8Array(FRAME_HEADER_BYTES + payload.length);
  message.set(payload, FRAME_HEADER_BYTES);
  return finishFrame(message, header, payload.length);
}

/**
 * Writes the header in front of a payload that already lies at byte FRAME_HEADER_BYTES of `buffer`: no copy.
 * @param buffer room for header and payload; may be longer
 * @param payloadLength bytes of payload
 * @returns the message, a view of `buffer`
 * @throws FrameError for a field out of range or a payload that does not fit
 */
export function finishFrame(buffer: Uint8Array, header: FrameHeader, payloadLength: number): Uint8Array {
  if (!Number.isInteger(payloadLength) || payloadLength < leastPayload(header.coding))
    throw new FrameError('frame_empty', 'a frame has a payload');
  const length = FRAME_HEADER_BYTES + payloadLength;
  if (length > FRAME_MAX_BYTES) {
    throw new FrameError('frame_too_large', `frame message of ${length} bytes; at most ${FRAME_MAX_BYTES}`);
  }
  if (length > buffer.length) throw new FrameError('frame_length', `${length} bytes in a buffer of ${buffer.length}`);
  if (!/^[0-9a-f]{16}$/.test(header.bundleId)) {
    throw new FrameError('frame_field', `bundleId "${header.bundleId}": 16 lower-case hex digits`);
  }
  checkRange('session', header.session, 0xffffffff);
  checkRange('frame', header.frame, 0xffffffff);
  checkRange('partition', header.partition, 0xff);
  checkRange('rate', header.rate, 0xff);
  checkRange('reference', header.reference, 0xffff);
  checkRange('sourceWidth', header.sourceWidth, 0xffff);
  checkRange('sourceHeight', header.sourceHeight, 0xffff);
  checkFields(header);

  const message = buffer.subarray(0, length);
  const view = new DataView(message.buffer, message.byteOffset, FRAME_HEADER_BYTES);
  view.setUint16(at.magic, FRAME_MAGIC, true);
  message[at.version] = FRAME_VERSION;
  message[at.coding] = header.coding;
  for (let i = 0; i < 8; i++) message[at.bundle + i] = Number.parseInt(header.bundleId.slice(2 * i, 2 * i + 2), 16);
  view.setUint32(at.session, header.session, true);
  view.setUint32(at.frame, header.frame, true);
  message[at.partition] = header.partition;
  message[at.rate] = header.rate;
  view.setUint16(at.reference, header.reference, true);
  view.setUint16(at.sourceWidth, header.sourceWidth, true);
  view.setUint16(at.sourceHeight, header.sourceHeight, true);
  view.setUint32(at.payloadLength, payloadLength, true);
  view.setUint32(at.crc, frameChecksum(message), true);
  return message;
}

/**
 * Reads a frame message. Untrusted input: every length is checked before it is used, nothing is copied, the time is
 * that of one checksum over the message.
 * @param message bytes as they arrived
 * @returns the header's fields and a view of the payload
 * @throws FrameError, with `identity` when the checksum held and only the content is wrong
 */
export function parseFrame(message: Uint8Array): Frame {
  if (message.length < FRAME_HEADER_BYTES) {
    throw new FrameError(
      'frame_short',
      `frame message of ${message.length} bytes; the header alone has ${FRAME_HEADER_BYTES}`,
    );
  }
  if (message.length > FRAME_MAX_BYTES) {
    throw new FrameError('frame_too_large', `frame message of ${message.length} bytes; at most ${FRAME_MAX_BYTES}`);
  }
  const view = new DataView(message.buffer, message.byteOffset, FRAME_HEADER_BYTES);
  const magic = view.getUint16(at.magic, true);
  if (magic !== FRAME_MAGIC) throw new FrameError('frame_magic', `not a frame message: starts with 0x${hex(magic, 4)}`);
  const payloadLength = view.getUint32(at.payloadLength, true);
  if (FRAME_HEADER_BYTES + payloadLength !== message.length) {
    const present = message.length - FRAME_HEADER_BYTES;
    throw new FrameError(
      'frame_length',
      `the header announces ${payloadLength} bytes of payload; ${present} are there`,
    );
  }
  if (view.getUint32(at.crc, true) !== frameChecksum(message)) {
    throw new FrameError('frame_crc', 'the checksum does not match: the message was damaged on its way');
  }
  const frame: Frame = {
    coding: message[at.coding] as Coding,
    bundleId: hex(view.getUint32(at.bundle), 8) + hex(view.getUint32(at.bundle + 4), 8),
    session: view.getUint32(at.session, true),
    frame: view.getUint32(at.frame, true),
    partition: message[at.partition],
    rate: message[at.rate],
    reference: view.getUint16(at.reference, true),
    sourceWidth: view.getUint16(at.sourceWidth, true),
    sourceHeight: view.getUint16(at.sourceHeight, true),
    payload: message.subarray(FRAME_HEADER_BYTES),
  };
  const version = message[at.version];
  if (version !== FRAME_VERSION) {
    const text = `frame message of version ${version}; this program reads version ${FRAME_VERSION}`;
    throw new FrameError('frame_version', text, identityOf(frame));
  }
  if (payloadLength < leastPayload(frame.coding)) {
    throw new FrameError('frame_empty', 'a frame without payload', identityOf(frame));
  }
  checkFields(frame);
  return frame;
}

/** CRC-32 (the one of zlib, PNG, Ethernet) over bytes 0..31 and the payload: all but the checksum's own field. */
export function frameChecksum(message: Uint8Array): number {
  return crc32(message.subarray(FRAME_HEADER_BYTES), crc32(message.subarray(0, at.crc)));
}

/** The part of a header that an answer repeats. */
export function identityOf(header: FrameIdentity): FrameIdentity {
  return { bundleId: header.bundleId, session: header.session, frame: header.frame };
}

const leastPayload = (coding: Coding): number => (coding === Coding.inter ? REFERENCE_CHECKSUM_BYTES + 1 : 1);

/** Rules between fields, the same for who writes and who reads. */
function checkFields(h: FrameHeader): void {
  const fail = (code: ProtocolErrorCode, text: string): never => {
    throw new FrameError(code, text, identityOf(h));
  };
  if (codingWords[h.coding] === undefined) {
    fail('frame_coding', `coding ${h.coding}; known are 0 (raw), 1 (intra), 2 (inter), 3 (jpeg)`);
  }
  if (h.sourceWidth === 0 || h.sourceHeight === 0) {
    fail('frame_size', `source picture of ${h.sourceWidth}x${h.sourceHeight}; each side has at least one pixel`);
  }
  const isPicture = h.coding === Coding.raw || h.coding === Coding.jpeg;
  if (isPicture !== (h.partition === PARTITION_RAW)) {
    fail(
      'frame_partition',
      `partition ${h.partition} with coding ${h.coding}; pictures go with ${PARTITION_RAW} and only they`,
    );
  }
  if (h.coding === Coding.raw && h.rate !== 0) fail('frame_partition', `rate ${h.rate} for raw pixels; only 0`);
  if ((h.coding === Coding.inter) !== h.reference > 0 || h.reference > h.frame) {
    fail(
      'frame_reference',
      `reference ${h.reference} in frame ${h.frame} with coding ${h.coding}; 1..frame number with coding 2, else 0`,
    );
  }
}

function checkRange(name: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new FrameError('frame_field', `${name} ${value}: an integer 0..${max}`);
  }
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
