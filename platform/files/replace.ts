import { closeSync, fchmodSync, fsyncSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Replaces a small file, whole or not at all, and has it on the disk: after a power cut there is the old one or the new
 * one. Its folder is made when it is not there.
 * @param mode permissions, such as 0o600; default: as the user's mask has it
 * @throws what the file system throws
 */
export function replaceFile(file: string, content: string | Uint8Array, mode?: number): void {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true });
  const part = `${file}.part`;
  const handle = openSync(part, 'w', mode);
  try {
    // What a power cut left may have had others.
    if (mode !== undefined) fchmodSync(handle, mode);
    const bytes = Buffer.from(content);
    for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(part, file);
  syncFolder(folder);
}

/** Has the names of a folder's files on the disk. @throws what the file system throws */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
