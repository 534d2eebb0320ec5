import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Replaces a small file, whole or not at all, and has it on the disk: after a power cut there is the old one or the new
 * one. Its folder is made when it is not there.
 * @throws what the file system throws
 */
export function replaceFile(file: string, content: string | Uint8Array): void {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true });
  const part = `${file}.part`;
  const handle = openSync(part, 'w');
  try {
    const bytes = Buffer.from(content);
    for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(part, file);
  const above = openSync(folder, 'r');
  try {
    fsyncSync(above);
  } finally {
    closeSync(above);
  }
}
