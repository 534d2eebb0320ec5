import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { MANIFEST_FILE } from '../../protocol/manifest.js';
import type { BundleRelease, ReleaseFile } from '../../protocol/update.js';
import type { Disk } from './disk.js';
import { NotNow, Refused } from './errors.js';

/** Free space that is left to others, bytes. */
const MARGIN_BYTES = 32 * 2 ** 20;

/**
 * The updater's folder: `bundles/<id>` whole bundles, `files/<sha256>` whole files of a release that is being fetched,
 * `partial/<sha256>` the beginnings of others. A name stands for whole, checked content only; all of it can be missing.
 */
export class UpdateFolder {
  /** @param root absolute @param disk what changes it */
  constructor(
    readonly root: string,
    readonly disk: Disk,
  ) {}

  partial(sha256: string): string {
    return join(this.root, 'partial', sha256);
  }
  list(sha256: string): string {
    return join(this.root, 'partial', `${sha256}.list`);
  }
  file(sha256: string): string {
    return join(this.root, 'files', sha256);
  }
  bundle(id: string): string {
    return join(this.root, 'bundles', id);
  }

  /** Makes the folders, and removes what no start can use: bundles that were being put together. */
  async prepare(): Promise<void> {
    for (const name of ['bundles', 'files', 'partial']) await this.disk.makeFolder(join(this.root, name));
    for (const name of await this.#names('bundles')) {
      if (name.endsWith('.part')) await this.disk.remove(join(this.root, 'bundles', name));
    }
  }

  /** A partial file has become whole. */
  async complete(sha256: string): Promise<void> {
    const path = this.file(sha256);
    await this.disk.sync(this.partial(sha256));
    await this.disk.rename(this.partial(sha256), path);
    await this.disk.sync(dirname(path));
    await this.disk.remove(this.list(sha256));
  }

  /**
   * The files of a release that must be fetched. Those that are somewhere on this device already, in one of its bundles, are taken
   * from there.
   * @param more bundles' folders elsewhere
   */
  async missing(release: BundleRelease, more: readonly string[]): Promise<ReleaseFile[]> {
    const here = await this.#known([...more, ...(await this.#names('bundles')).map((name) => this.bundle(name))]);
    const wanted = new Map(Object.values(release.files).map((file) => [file.sha256, file]));
    const missing: ReleaseFile[] = [];
    for (const file of wanted.values()) {
      const target = this.file(file.sha256);
      if ((await sizeOf(target)) === file.bytes) continue;
      await this.disk.remove(target);
      const source = here.get(file.sha256);
      if (source && (await sizeOf(source)) === file.bytes && (await hashOf(source)) === file.sha256) {
        await this.disk.link(source, target);
      } else missing.push(file);
    }
    return missing;
  }

  /** Bytes of partial files, by hash. */
  async begun(files: readonly ReleaseFile[]): Promise<number> {
    const sizes = await Promise.all(files.map(({ sha256 }) => sizeOf(this.partial(sha256))));
    return sizes.reduce<number>((sum, size) => sum + Math.max(0, size), 0);
  }

  /**
   * Whether there is room for a release beside what must stay.
   * @param bytes still to be written @param keep ids of bundles that stay @param most what the folder may hold, bytes
   * @throws Refused `too_large`; NotNow `disk_full`
   */
  async checkRoom(release: BundleRelease, bytes: number, keep: readonly string[], most: number): Promise<void> {
    const sizes = new Map(Object.values(release.files).map((file) => [file.sha256, file.bytes]));
    for (const id of keep) {
      for (const { sha256, bytes: size } of await listed(this.bundle(id))) sizes.set(sha256, size);
    }
    const all = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    const mb = (size: number) => Math.ceil(size / 2 ** 20);
    if (all > most) {
      const message = `needs ${mb(all)} MB with the bundles that stay; update.megabytes allows ${mb(most)}`;
      throw new Refused('too_large', message, false);
    }
    const { bavail, bsize } = await statfs(this.root);
    if (bavail * bsize < bytes + MARGIN_BYTES) {
      throw new NotNow('disk_full', `needs ${mb(bytes + MARGIN_BYTES)} MB; ${mb(bavail * bsize)} MB are free`);
    }
  }

  /** Puts a bundle together from whole files, all of it or nothing. */
  async assemble(release: BundleRelease): Promise<string> {
    const { disk } = this;
    const target = this.bundle(release.bundle);
    if ((await sizeOf(target)) >= 0) return target;
    const part = `${target}.part`;
    await disk.remove(part);
    await disk.makeFolder(part);
    const folders = new Set([part]);
    for (const [name, { sha256 }] of Object.entries(release.files)) {
      const path = join(part, ...name.split('/'));
      if (!folders.has(dirname(path))) await disk.makeFolder(dirname(path));
      for (let folder = dirname(path); folder.length > part.length; folder = dirname(folder)) folders.add(folder);
      await disk.link(this.file(sha256), path);
    }
    for (const folder of folders) await disk.sync(folder);
    await disk.rename(part, target);
    await disk.sync(dirname(target));
    return target;
  }

  /** Removes bundles but these, and all files of releases. */
  async collect(keep: readonly string[]): Promise<void> {
    for (const name of await this.#names('bundles')) {
      if (!keep.includes(name)) await this.disk.remove(join(this.root, 'bundles', name));
    }
    await this.collectFiles(new Set());
  }

  /** Removes files, whole or not, that are not of these hashes. */
  async collectFiles(wanted: ReadonlySet<string>): Promise<void> {
    for (const folder of ['files', 'partial']) {
      for (const name of await this.#names(folder)) {
        if (!wanted.has(name.replace(/\.list$/, ''))) await this.disk.remove(join(this.root, folder, name));
      }
    }
  }

  async #names(folder: string): Promise<string[]> {
    return readdir(join(this.root, folder)).catch(() => []);
  }

  /** Where files of these bundles are, by hash; what cannot be read is left out. */
  async #known(bundles: readonly string[]): Promise<Map<string, string>> {
    const known = new Map<string, string>();
    for (const bundle of bundles) {
      for (const { name, sha256 } of await listed(bundle)) known.set(sha256, join(bundle, ...name.split('/')));
    }
    return known;
  }
}

/** Files of a bundle as its manifest lists them, and the manifest. */
async function listed(bundle: string): Promise<{ name: string; sha256: string; bytes: number }[]> {
  try {
    const bytes = await readFile(join(bundle, MANIFEST_FILE));
    const { files } = JSON.parse(bytes.toString('utf8')) as { files: Record<string, ReleaseFile> };
    const manifest = { name: MANIFEST_FILE, sha256: createHash('sha256').update(bytes).digest('hex') };
    return [
      { ...manifest, bytes: bytes.length },
      ...Object.entries(files).map(([name, file]) => ({ name, sha256: file.sha256, bytes: file.bytes })),
    ];
  } catch {
    return [];
  }
}

/** @returns -1: there is none */
async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => -1,
  );
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
