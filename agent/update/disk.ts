import { copyFile, link, mkdir, open, rename, rm, truncate } from 'node:fs/promises';

/**
 * Every way in which the updater changes the disk; reading needs none of them. One place, so that tests can cut the power at each
 * of them. All throw what the file system throws.
 */
export interface Disk {
  makeFolder(path: string): Promise<void>;
  /** Writes a new file, or over an old one; not on the disk for sure before `sync`. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** Writes at a place in a file, which is made if need be. */
  writeAt(path: string, bytes: Uint8Array, at: number): Promise<void>;
  truncate(path: string, bytes: number): Promise<void>;
  /** Has a file's content, or the names in a folder, on the disk. */
  sync(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** A second name for a file; a copy, already on the disk, where there can be none. */
  link(from: string, to: string): Promise<void>;
  /** A file or a folder with all that is in it; it need not be there. */
  remove(path: string): Promise<void>;
}

/** Where no second name can be had: another file system, or one without. */
const noLinks = new Set(['EXDEV', 'EPERM', 'ENOTSUP', 'EMLINK', 'ENOSYS', 'EACCES']);

export const realDisk: Disk = {
  async makeFolder(path) {
    await mkdir(path, { recursive: true });
  },
  async write(path, bytes) {
    await writing(path, 'w', bytes, 0);
  },
  async writeAt(path, bytes, at) {
    await writing(path, 'r+', bytes, at).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT' || at > 0) throw error;
      await writing(path, 'wx', bytes, 0);
    });
  },
  truncate,
  async sync(path) {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  rename,
  async link(from, to) {
    try {
      await link(from, to);
    } catch (error) {
      if (!noLinks.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
      await copyFile(from, to);
      await realDisk.sync(to);
    }
  },
  async remove(path) {
    await rm(path, { recursive: true, force: true });
  },
};

async function writing(path: string, flags: string, bytes: Uint8Array, at: number): Promise<void> {
  const handle = await open(path, flags);
  try {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, at + done);
      done += bytesWritten;
    }
  } finally {
    await handle.close();
  }
}
