import { createHash } from 'node:crypto';

/** Files travel in pieces of so many bytes; the last one is shorter. Small: a result may have to wait for one on the link. */
export const CHUNK_BYTES = 16 * 1024;
/** Bytes of one hash in a chunk list. */
export const HASH_BYTES = 32;

/** Length of the chunk list of a file: the SHA-256 of every chunk, one behind the other. */
export function chunkListBytes(bytes: number): number {
  return Math.ceil(bytes / CHUNK_BYTES) * HASH_BYTES;
}

/** SHA-256, 64 hex digits. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Makes a file's hash and chunk list from its bytes, as they come, in pieces of any size. */
export class ChunkHasher {
  readonly #whole = createHash('sha256');
  readonly #list: Buffer[] = [];
  #chunk = createHash('sha256');
  #filled = 0;
  bytes = 0;

  update(piece: Uint8Array): void {
    this.#whole.update(piece);
    this.bytes += piece.length;
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + CHUNK_BYTES - this.#filled);
      this.#chunk.update(part);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === CHUNK_BYTES) this.#next();
    }
  }

  /** Call once. */
  finish(): { sha256: string; list: Buffer } {
    if (this.#filled > 0) this.#next();
    return { sha256: this.#whole.digest('hex'), list: Buffer.concat(this.#list) };
  }

  #next(): void {
    this.#list.push(this.#chunk.digest());
    this.#chunk = createHash('sha256');
    this.#filled = 0;
  }
}
