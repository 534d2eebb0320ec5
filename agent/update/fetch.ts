import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { CHUNK_BYTES, chunkListBytes, HASH_BYTES, type ReleaseFile } from '../../protocol/update.js';
import type { PieceSource } from './chunk-link.js';
import { NotNow } from './errors.js';
import type { UpdateFolder } from './folder.js';
import type { Clock, Pacer } from './pacer.js';

/** So often a piece is asked for, of one edge after the other, before the fetch is given up for now. */
const TRIES = 5;
const FIRST_PAUSE_MS = 200;
/** What a message carries beside the piece. */
const OVERHEAD_BYTES = 100;

export interface FetchParts {
  folder: UpdateFolder;
  source: PieceSource;
  pacer: Pacer;
  clock: Clock;
  /** Names of the edges that have the files now. */
  edges: () => readonly string[];
  /** So many more bytes are there. */
  gained: (bytes: number) => void;
}

/**
 * Fetches files, piece by piece, each checked against the signed hashes before it is written. What is there when it ends, for
 * whatever reason, is the start of the next try: pieces that are on the disk are checked again and not fetched again.
 */
export class Fetcher {
  #turn = 0;

  constructor(readonly parts: FetchParts) {}

  /** Has a file among the complete ones. @throws NotNow, the signal's reason, what the file system throws */
  async file(file: ReleaseFile, signal: AbortSignal): Promise<void> {
    const { folder, gained } = this.parts;
    const { disk } = folder;
    const hashes = await this.#hashes(file, signal);
    const path = folder.partial(file.sha256);
    let at = await this.#resume(path, file, hashes);
    gained(at);
    while (at < file.bytes) {
      const bytes = Math.min(CHUNK_BYTES, file.bytes - at);
      const hash = hashes.subarray((at / CHUNK_BYTES) * HASH_BYTES, (at / CHUNK_BYTES + 1) * HASH_BYTES);
      const data = await this.#piece({ file: file.sha256, of: 'data', at, bytes }, signal, (piece) =>
        digest(piece).equals(hash),
      );
      await disk.writeAt(path, data, at);
      at += bytes;
      gained(bytes);
    }
    if (file.bytes === 0) await disk.write(path, new Uint8Array());
    await folder.complete(file.sha256);
  }

  /** Hash of every chunk, proven by what was signed. */
  async #hashes(file: ReleaseFile, signal: AbortSignal): Promise<Buffer> {
    if (file.chunks === undefined) return Buffer.from(file.sha256, 'hex');
    const { folder } = this.parts;
    const wanted = Buffer.from(file.chunks, 'hex');
    const path = folder.list(file.sha256);
    const kept = await readFile(path).catch(() => undefined);
    if (kept && digest(kept).equals(wanted)) return kept;
    const length = chunkListBytes(file.bytes);
    for (let tries = 0; tries < TRIES; tries++) {
      const list = Buffer.alloc(length);
      for (let at = 0; at < length; at += CHUNK_BYTES) {
        const bytes = Math.min(CHUNK_BYTES, length - at);
        list.set(await this.#piece({ file: file.sha256, of: 'list', at, bytes }, signal, () => true), at);
      }
      if (digest(list).equals(wanted)) {
        await folder.disk.write(path, list);
        return list;
      }
      this.#turn++;
    }
    throw new NotNow('bad_data', `what edges send as hashes of ${file.sha256} is not what was signed`);
  }

  /** How much of a file is there and whole; what follows is cut off. */
  async #resume(path: string, file: ReleaseFile, hashes: Buffer): Promise<number> {
    const handle = await open(path, 'r').catch(() => undefined);
    if (!handle) return 0;
    let good = 0;
    let size: number;
    try {
      ({ size } = await handle.stat());
      const buffer = Buffer.alloc(CHUNK_BYTES);
      while (good < Math.min(size, file.bytes)) {
        const bytes = Math.min(CHUNK_BYTES, file.bytes - good);
        const { bytesRead } = await handle.read(buffer, 0, bytes, good);
        const hash = hashes.subarray((good / CHUNK_BYTES) * HASH_BYTES, (good / CHUNK_BYTES + 1) * HASH_BYTES);
        if (bytesRead < bytes || !digest(buffer.subarray(0, bytes)).equals(hash)) break;
        good += bytes;
      }
    } finally {
      await handle.close();
    }
    if (size > good) await this.parts.folder.disk.truncate(path, good);
    return good;
  }

  /** One piece, from whichever edge gives it whole. */
  async #piece(
    piece: { file: string; of: 'data' | 'list'; at: number; bytes: number },
    signal: AbortSignal,
    check: (data: Buffer) => boolean,
  ): Promise<Buffer> {
    const { source, pacer, clock } = this.parts;
    let last = new NotNow('edge_gone', 'no edge is there that has the release');
    for (let tries = 0; tries < TRIES; tries++) {
      const edges = this.parts.edges();
      if (edges.length === 0) break;
      const edge = edges[this.#turn % edges.length];
      await pacer.turn(piece.bytes + OVERHEAD_BYTES, signal);
      try {
        const data = await source.ask({ edge, ...piece }, signal);
        if (data.length === piece.bytes && check(data)) return data;
        last = new NotNow('bad_data', `edge ${edge} sends other bytes than those that were signed`);
      } catch (error) {
        if (!(error instanceof NotNow)) throw error;
        if (error.code === 'broker_gone') throw error;
        last = error;
      }
      this.#turn++;
      await clock.sleep(FIRST_PAUSE_MS * 2 ** tries, signal);
    }
    throw last;
  }
}

const digest = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
