import { readdirSync, readFileSync, statfsSync } from 'node:fs';
import { join } from 'node:path';

/** The files in which Linux tells of the machine, below a root (a fixture's, in tests). Nothing here throws. */
export class SystemFiles {
  constructor(readonly root: string) {}

  /** A file's text, without white space around it; undefined where it cannot be read. */
  text(path: string): string | undefined {
    try {
      return readFileSync(join(this.root, path), 'utf8').trim();
    } catch {
      return undefined;
    }
  }

  /** A file that holds one number. */
  number(path: string): number | undefined {
    return toNumber(this.text(path));
  }

  /** Names in a folder, sorted. */
  names(path: string): string[] {
    try {
      return readdirSync(join(this.root, path)).sort();
    } catch {
      return [];
    }
  }

  /** Bytes that are free to everybody where a file lies. */
  free(path: string): number | undefined {
    try {
      const { bavail, bsize } = statfsSync(join(this.root, path));
      return bavail * bsize;
    } catch {
      return undefined;
    }
  }
}

/** A number in decimal or 0x..., or undefined. */
export function toNumber(text: string | undefined): number | undefined {
  if (!text) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
