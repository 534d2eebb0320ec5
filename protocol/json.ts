import { ProtocolError } from './errors.js';

/**
 * Reads a JSON message of bounded size.
 * @param bytes as they arrived
 * @param maxBytes refused unread above this
 * @param what how errors call it
 * @throws ProtocolError `message_too_large`, `message_not_json`
 */
export function parseJson(bytes: Uint8Array, maxBytes: number, what: string): unknown {
  if (bytes.length > maxBytes) {
    throw new ProtocolError('message_too_large', `${what} of ${bytes.length} bytes; at most ${maxBytes}`);
  }
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'));
  } catch {
    throw new ProtocolError('message_not_json', `${what} is not JSON`);
  }
}
