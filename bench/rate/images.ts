import sharp, { type Sharp } from 'sharp';
import type { Picture } from '../../agent/camera/camera.js';

/** A way of compressing pictures that everyone has: the baselines. */
export interface ImageCodec {
  /** Settings besides the quality, as the report says them. */
  readonly settings: string;
  /** Qualities that span about 2 to 40 KB on photos of 416 pixels, rising. */
  readonly qualities: readonly number[];
  encode(image: Sharp, quality: number): Sharp;
}

/**
 * Effort and the like are sharp's defaults, written out. sharp's libjpeg is built from mozjpeg's sources; `mozjpeg: false` is
 * libjpeg-turbo's way of coding, with Huffman tables made for each picture.
 */
export const IMAGE_CODECS: Readonly<Record<string, ImageCodec>> = {
  jpeg: {
    settings: '4:2:0, baseline, optimised Huffman tables, mozjpeg off',
    qualities: [5, 10, 20, 30, 45, 60, 75, 80, 85, 90],
    encode: (image, quality) =>
      image.jpeg({ quality, chromaSubsampling: '4:2:0', optimiseCoding: true, progressive: false, mozjpeg: false }),
  },
  webp: {
    settings: 'lossy (4:2:0), effort 4',
    qualities: [1, 10, 20, 35, 50, 55, 60, 65, 80, 94],
    encode: (image, quality) => image.webp({ quality, effort: 4, smartSubsample: false }),
  },
  avif: {
    settings: 'AV1 by libaom, 8 bits, 4:4:4, effort 4',
    qualities: [10, 20, 25, 30, 40, 50, 60, 75],
    encode: (image, quality) => image.avif({ quality, effort: 4, chromaSubsampling: '4:4:4', bitdepth: 8 }),
  },
};

/** One core for one picture, as for our own models; nothing kept from the picture before. */
export function oneThread(): void {
  sharp.concurrency(1);
  sharp.cache(false);
}

export interface Compressed {
  bytes: number;
  encodeMs: number;
  decodeMs: number;
  /** RGB again, as large as before. */
  data: Uint8Array;
}

/**
 * Compresses a picture's pixels (the letterbox's content, without the border) and takes them out again.
 * @param clock milliseconds
 */
export async function compress(
  codec: ImageCodec,
  quality: number,
  picture: Picture,
  clock: () => number,
): Promise<Compressed> {
  const { width, height } = picture;
  const start = clock();
  const file = await codec.encode(sharp(picture.data, { raw: { width, height, channels: 3 } }), quality).toBuffer();
  const between = clock();
  const { data, info } = await sharp(file).toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  const end = clock();
  if (info.width !== width || info.height !== height || info.channels !== 3) {
    throw new Error(`${info.width}x${info.height} pixels of ${info.channels} channels came back`);
  }
  return {
    bytes: file.length,
    encodeMs: between - start,
    decodeMs: end - between,
    data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  };
}
