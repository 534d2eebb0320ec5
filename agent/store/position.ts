import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

const NAME = 'position';

/** Sequence of the last record that was removed; 0 where nothing is known: records may come again then. */
export async function readPosition(folder: string): Promise<number> {
  const text = await readFile(join(folder, NAME), 'latin1').catch(() => '');
  const [, sequence, sum] = /^(\d{1,15}) ([0-9a-f]{8})\n$/.exec(text) ?? [];
  return sequence !== undefined && sum === checksum(sequence) ? Number(sequence) : 0;
}

/** Replaces it, whole or not at all, and has it on the disk. @throws what the file system throws */
export async function writePosition(folder: string, sequence: number): Promise<void> {
  const file = join(folder, NAME);
  const part = `${file}.part`;
  const handle = await open(part, 'w');
  try {
    await handle.writeFile(`${sequence} ${checksum(String(sequence))}\n`);
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await rename(part, file);
  await syncFolder(folder);
}

/** Has the names of a folder's files on the disk. @throws what the file system throws */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const checksum = (sequence: string): string => crc32(sequence).toString(16).padStart(8, '0');
