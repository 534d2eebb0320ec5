import { loadSharp } from '../../platform/sharp.js';
import type { Fit, InputSpec } from '../../protocol/letterbox.js';

/**
 * The picture inside a letterboxed input as a JPEG file: baseline, 4:2:0, the standard's Huffman tables (tables of its own would
 * save a fortieth of the bytes, and take as long again). Runs beside the main thread.
 * @param input RGB, letterboxed @param fit where the picture lies in it @param quality of libjpeg, 1..100
 */
export async function encodeJpeg(
  input: Uint8Array,
  spec: Pick<InputSpec, 'width' | 'height'>,
  fit: Pick<Fit, 'width' | 'height' | 'offsetX' | 'offsetY'>,
  quality: number,
): Promise<Uint8Array> {
  const sharp = await loadSharp();
  return sharp(input, { raw: { width: spec.width, height: spec.height, channels: 3 } })
    .extract({ left: fit.offsetX, top: fit.offsetY, width: fit.width, height: fit.height })
    .jpeg({ quality, chromaSubsampling: '4:2:0', optimiseCoding: false, progressive: false, mozjpeg: false })
    .toBuffer();
}
