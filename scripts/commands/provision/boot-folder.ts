import { copyFile, link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { replaceFile, syncFolder } from '../../../platform/files/replace.js';
import { usageError } from '../../../platform/main.js';
import { withWords } from './cmdline.js';
import type { BootFile } from './payload.js';

/**
 * Writes files to a folder, each whole or not at all, in their order; what is there already and equal is left alone.
 * Keys are for this user alone, where the file system knows users.
 */
export async function writeFiles(folder: string, files: BootFile[]): Promise<void> {
  for (const { path, content } of files) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    if (typeof content !== 'string') {
      if (!(await sameSize(file, content.copyOf))) await copyWhole(content.copyOf, file);
    } else if ((await readFile(file, 'utf8').catch(() => undefined)) !== content) {
      replaceFile(file, content, path.endsWith('.key') ? 0o600 : 0o644);
    }
  }
}

async function copyWhole(from: string, to: string): Promise<void> {
  const part = `${to}.part`;
  await rm(part, { force: true });
  // Fifty cards need no fifty copies, where the file system knows links.
  await link(from, part).catch(() => copyFile(from, part));
  const handle = await open(part, 'r+');
  await handle.sync();
  await handle.close();
  await rename(part, to);
  syncFolder(dirname(to));
}

async function sameSize(a: string, b: string): Promise<boolean> {
  const [one, other] = await Promise.all([stat(a).catch(() => undefined), stat(b)]);
  return one?.size === other.size && one.mtimeMs >= other.mtimeMs;
}

/**
 * Adds words to a card's command line.
 * @param boot the mounted boot partition
 * @throws DeepcodError `usage`
 */
export async function addWords(boot: string, words: string[]): Promise<void> {
  const file = join(boot, 'cmdline.txt');
  const text = await readFile(file, 'utf8').catch(() => {
    throw usageError(
      `--boot ${boot}: there is no cmdline.txt in it: is a freshly flashed card's boot partition mounted there?`,
    );
  });
  await writeFiles(boot, [{ path: 'cmdline.txt', content: withWords(text, words) }]);
}
