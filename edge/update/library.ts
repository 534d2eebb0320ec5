import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../../platform/log.js';
import {
  type BundleRelease,
  OFFER_RELEASES,
  RELEASE_MAX_BYTES,
  type ReleaseKind,
  type SignedRelease,
  validateRelease,
} from '../../protocol/update.js';
import { describeFile, type ServedFile } from './files.js';

/** How releases are named in their folder; bundles lie beside them, in `bundles/<id>`. */
export const RELEASE_SUFFIX = '.release.json';

export interface LibraryParts {
  /** Serves a bundle from now on, once it has run. @throws what is wrong with it */
  serve: (folder: string) => Promise<void>;
  /** No release has this bundle any more. */
  withdraw: (bundle: string) => void;
  log: Log;
}

interface Shelved {
  /** Of the file, to see when it has changed. */
  mark: string;
  release?: SignedRelease;
  files: Map<string, ServedFile>;
}

/**
 * The releases in a folder. What is not whole, or does not run here, is said once and not offered. Signatures are for the devices
 * to judge: this edge has no keys.
 */
export class ReleaseLibrary {
  readonly #shelf = new Map<string, Shelved>();
  #closed = false;

  constructor(
    readonly folder: string,
    readonly parts: LibraryParts,
  ) {}

  /** Looks what has come, changed, or gone; of several the newest first. @returns whether anything has */
  async scan(): Promise<boolean> {
    const before = this.#bundles();
    const found = await this.#list();
    let changed = false;
    for (const name of [...this.#shelf.keys()]) {
      if (!found.some((file) => file.name === name)) changed = this.#shelf.delete(name) || changed;
    }
    for (const { name, path, mark } of found) {
      if (this.#shelf.get(name)?.mark === mark || this.#closed) continue;
      changed = true;
      this.#shelf.set(name, { mark, ...(await this.#open(path)) });
    }
    const now = this.#bundles();
    for (const bundle of before) if (!now.has(bundle)) this.parts.withdraw(bundle);
    return changed;
  }

  /** Nothing more is opened. */
  close(): void {
    this.#closed = true;
  }

  /** A file of any release that is offered. */
  file(sha256: string): ServedFile | undefined {
    for (const { files } of this.#shelf.values()) {
      const file = files.get(sha256);
      if (file) return file;
    }
    return undefined;
  }

  /** What a device is offered: of each kind the highest sequence, and what goes back if that was signed later. */
  offer(device: string): SignedRelease[] {
    const all = [...this.#shelf.values()].flatMap(({ release }) => release ?? []);
    const mine = all.filter(({ to }) => to === 'all' || to.includes(device));
    const kinds: ReleaseKind[] = ['bundle', 'config'];
    return kinds
      .flatMap((kind) => {
        const ofKind = mine.filter((release) => release.kind === kind);
        const newest = best(
          ofKind,
          ({ allow_older }) => !allow_older,
          (a, b) => b.sequence - a.sequence,
        );
        const back = best(
          ofKind,
          ({ allow_older }) => allow_older === true,
          (a, b) => (a.created < b.created ? 1 : -1),
        );
        return [newest, back].filter((release) => release !== undefined);
      })
      .slice(0, OFFER_RELEASES);
  }

  /** The releases' files, the newest first. */
  async #list(): Promise<{ name: string; path: string; mark: string }[]> {
    const names = (await readdir(this.folder).catch(() => [])).filter((name) => name.endsWith(RELEASE_SUFFIX));
    const files = await Promise.all(
      names.sort().map(async (name) => {
        const path = join(this.folder, name);
        const info = await stat(path).catch(() => undefined);
        return info ? [{ name, path, at: info.mtimeMs, mark: `${info.mtimeMs} ${info.size} ${info.ino}` }] : [];
      }),
    );
    return files.flat().sort((a, b) => b.at - a.at);
  }

  /** Ids of the bundles of all releases that are offered. */
  #bundles(): Set<string> {
    const releases = [...this.#shelf.values()].flatMap(({ release }) => release ?? []);
    return new Set(releases.flatMap((release) => (release.kind === 'bundle' ? release.bundle : [])));
  }

  async #open(path: string): Promise<Omit<Shelved, 'mark'>> {
    const { serve, log } = this.parts;
    try {
      if ((await stat(path)).size > RELEASE_MAX_BYTES * 2) throw new Error('too long for a release');
      const release = validateRelease(JSON.parse(await readFile(path, 'utf8')));
      if (release.kind === 'config') return { release, files: new Map() };
      const folder = join(this.folder, 'bundles', release.bundle);
      const files = await served(release, folder);
      await serve(folder);
      log.info('a release is offered', { bundle: release.bundle, sequence: release.sequence, to: release.to });
      return { release, files };
    } catch (error) {
      log.error(`${path} is not offered`, { error });
      return { files: new Map() };
    }
  }
}

function best(
  releases: readonly SignedRelease[],
  fits: (release: SignedRelease) => boolean,
  order: (a: SignedRelease, b: SignedRelease) => number,
): SignedRelease | undefined {
  return releases.filter(fits).sort(order)[0];
}

/** Every file of a release, as it lies here; all as they were signed. */
async function served(release: BundleRelease, folder: string): Promise<Map<string, ServedFile>> {
  const files = new Map<string, ServedFile>();
  for (const [name, wanted] of Object.entries(release.files)) {
    const path = join(folder, ...name.split('/'));
    const { file, list } = await describeFile(path);
    if (file.sha256 !== wanted.sha256 || file.bytes !== wanted.bytes || file.chunks !== wanted.chunks) {
      throw new Error(`${path} is not the file that was signed`);
    }
    files.set(file.sha256, { path, bytes: file.bytes, list });
  }
  return files;
}
