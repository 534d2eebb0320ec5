import { type FileHandle, open } from 'node:fs/promises';
import { CHUNK_BYTES, ChunkHasher, type ReleaseFile, sha256 } from '../../protocol/update.js';

/** A file that devices may fetch. */
export interface ServedFile {
  path: string;
  bytes: number;
  /** Its chunk list. */
  list: Buffer;
}

/** Reads a file once. @returns how a release names it, and its chunk list */
export async function describeFile(path: string): Promise<{ file: ReleaseFile; list: Buffer }> {
  const hasher = new ChunkHasher();
  const handle = await open(path, 'r');
  try {
    for await (const piece of handle.createReadStream({ highWaterMark: 1 << 20, autoClose: false }))
      hasher.update(piece);
  } finally {
    await handle.close();
  }
  const { bytes } = hasher;
  const { sha256: hash, list } = hasher.finish();
  return { file: { bytes, sha256: hash, ...(bytes > CHUNK_BYTES && { chunks: sha256(list) }) }, list };
}

/** @returns the bytes; undefined where the file, or its list, has none there */
export async function readPiece(
  file: ServedFile,
  of: 'data' | 'list',
  at: number,
  bytes: number,
): Promise<Buffer | undefined> {
  if (of === 'list') return at + bytes <= file.list.length ? file.list.subarray(at, at + bytes) : undefined;
  if (at + bytes > file.bytes) return undefined;
  let handle: FileHandle | undefined;
  try {
    handle = await open(file.path, 'r');
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, at);
    return bytesRead === bytes ? buffer : undefined;
  } finally {
    await handle?.close();
  }
}
