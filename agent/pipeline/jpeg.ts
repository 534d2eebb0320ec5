import sharp from 'sharp';

/**
 * A picture as a JPEG file: baseline, 4:2:0, Huffman tables of its own. Runs beside the main thread.
 * @param pixels RGB, `width * height * 3` bytes @param quality of libjpeg, 1..100
 */
export function encodeJpeg(
  pixels: Uint8Array,
  { width, height }: { width: number; height: number },
  quality: number,
): Promise<Uint8Array> {
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg({ quality, chromaSubsampling: '4:2:0', optimiseCoding: true, progressive: false, mozjpeg: false })
    .toBuffer();
}
