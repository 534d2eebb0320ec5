import { loadSharp } from '../../platform/sharp.js';

/**
 * A picture as a JPEG file: baseline, 4:2:0, the standard's Huffman tables (tables of its own would save a fortieth of the
 * bytes, and take as long again). Runs beside the main thread.
 * @param pixels RGB, `width * height * 3` bytes @param quality of libjpeg, 1..100
 */
export async function encodeJpeg(
  pixels: Uint8Array,
  { width, height }: { width: number; height: number },
  quality: number,
): Promise<Uint8Array> {
  const sharp = await loadSharp();
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg({ quality, chromaSubsampling: '4:2:0', optimiseCoding: false, progressive: false, mozjpeg: false })
    .toBuffer();
}
