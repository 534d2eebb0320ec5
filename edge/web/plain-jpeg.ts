/** Markers that stand alone: restarts, and one that fills. */
const isAlone = (marker: number): boolean => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7);
/** Comments and applications' parts, but for Adobe's: it says how the colours are coded. */
const isAside = (marker: number): boolean => marker === 0xfe || (marker >= 0xe0 && marker <= 0xef && marker !== 0xee);
const END = 0xd9;
const SCAN = 0xda;

/**
 * A JPEG file with nothing in it but the picture: what a device has put beside it (place, time, a rotation that a browser would
 * follow and a detector would not, anything behind the end) is left out. The picture's own bytes stay as they are.
 * @returns a copy; undefined for what is no whole JPEG file
 */
export function plainJpeg(file: Uint8Array): Uint8Array | undefined {
  if (file[0] !== 0xff || file[1] !== 0xd8) return undefined;
  const parts: Uint8Array[] = [file.subarray(0, 2)];
  let at = 2;
  while (at + 1 < file.length) {
    if (file[at] !== 0xff) return undefined;
    const marker = file[at + 1];
    if (marker === 0xff) {
      at++;
    } else if (marker === END) {
      parts.push(file.subarray(at, at + 2));
      return Buffer.concat(parts);
    } else if (isAlone(marker)) {
      parts.push(file.subarray(at, at + 2));
      at += 2;
    } else {
      const length = at + 3 < file.length ? (file[at + 2] << 8) | file[at + 3] : 0;
      const begin = at;
      at += 2 + length;
      if (length < 2 || at > file.length) return undefined;
      if (marker === SCAN) at = endOfScan(file, at);
      if (!isAside(marker)) parts.push(file.subarray(begin, at));
    }
  }
  return undefined;
}

/** Where the coded data that begins at `at` ends: before the next marker that is neither a stuffed byte nor a restart. */
function endOfScan(file: Uint8Array, at: number): number {
  for (let i = file.indexOf(0xff, at); i >= 0; i = file.indexOf(0xff, i + 1)) {
    const next = file[i + 1];
    if (next !== 0 && next !== 0xff && !isAlone(next)) return i;
  }
  return file.length;
}
