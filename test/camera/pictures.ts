import { existsSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Test } from 'tap';
import { packageRoot } from '../../platform/root.js';

/** Whole pictures, as they are. */
export const asItIs = (width: number, height: number): { width: number; height: number } => ({ width, height });

/** The content of a 416x416 letterbox. */
export const in416 = (width: number, height: number): { width: number; height: number } => {
  const scale = Math.min(416 / width, 416 / height);
  return { width: Math.floor(width * scale), height: Math.floor(height * scale) };
};

export const never = new AbortController().signal;

/** A JPEG with a red left half, a blue right half, and a green band on top; `noise` makes it large. */
export async function jpeg(width: number, height: number, orientation?: number): Promise<Buffer> {
  const pixels = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 3;
      pixels[at] = x < width / 2 ? 230 : 20;
      pixels[at + 1] = y < height / 4 ? 230 : (x * 7 + y * 13) % 32;
      pixels[at + 2] = x < width / 2 ? 20 : 230;
    }
  }
  const image = sharp(pixels, { raw: { width, height, channels: 3 } }).jpeg({
    quality: 90,
    chromaSubsampling: '4:4:4',
  });
  return (orientation ? image.withMetadata({ orientation }) : image).toBuffer();
}

/** A place in ../shared/data, or null (said in one line) where this checkout has none. */
export function shared(t: Test, path: string): string | null {
  const whole = join(packageRoot(), '..', 'shared', 'data', path);
  if (existsSync(whole)) return whole;
  t.comment(`../shared/data/${path} is absent: made-up data instead`);
  console.error(`# ../shared/data/${path} is absent: made-up data instead`);
  return null;
}
