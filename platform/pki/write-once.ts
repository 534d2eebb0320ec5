import { randomBytes } from 'node:crypto';
import { link, mkdir, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Writes a file that must not exist yet, whole or not at all, whatever happens meanwhile: power loss, or another process
 * that does the same. Missing folders are made, for this user alone.
 * @param mode permissions, such as 0o600
 * @returns false, and nothing changed, where the file exists
 */
export async function writeOnce(file: string, content: string | Uint8Array, mode: number): Promise<boolean> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const part = `${file}.${randomBytes(6).toString('hex')}.part`;
  const handle = await open(part, 'wx', mode);
  try {
    try {
      await handle.chmod(mode);
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    // Unlike a rename, a link never takes the place of a file.
    await link(part, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(part);
  }
  const entry = await open(folder);
  await entry.sync();
  await entry.close();
  return true;
}
