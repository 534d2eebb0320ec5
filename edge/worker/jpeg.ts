import sharp from 'sharp';
import { fitPicture, type InputSpec, placePicture } from '../../protocol/letterbox.js';

/** A JPEG file that is none, or not of the size that the service takes. */
export class JpegError extends Error {
  override readonly name = 'JpegError';
}

/** Where the frame of a JPEG file with its size begins: baseline and progressive, 8 bits a sample. */
const START_OF_IMAGE = 0xffd8;

/**
 * A JPEG file, letterboxed. Untrusted input: nothing but JPEG is read (libvips would take many formats), a file that announces
 * more pixels than are wanted is not decoded, and one that ends early or is damaged is refused. Runs beside the main thread.
 * @param source size of the camera's picture: the file has the size that this has inside the input
 * @returns RGB, `input.width * input.height * 3` bytes
 * @throws JpegError
 */
export async function decodeJpeg(
  file: Uint8Array,
  input: InputSpec,
  source: { sourceWidth: number; sourceHeight: number },
): Promise<Uint8Array> {
  const fit = fitPicture(input, source.sourceWidth, source.sourceHeight);
  const { width, height } = fit;
  if (file.length < 4 || ((file[0] << 8) | file[1]) !== START_OF_IMAGE)
    throw new JpegError('the payload is no JPEG file');
  try {
    const image = sharp(file, { limitInputPixels: width * height, failOn: 'warning', sequentialRead: true });
    const { data, info } = await image.toColourspace('srgb').removeAlpha().raw().toBuffer({ resolveWithObject: true });
    if (info.width !== width || info.height !== height || info.channels !== 3) {
      throw new JpegError(
        `a picture of ${info.width}x${info.height}; this camera's is ${width}x${height} in the input`,
      );
    }
    const out = new Uint8Array(input.width * input.height * 3);
    placePicture(input, fit, data, out);
    return out;
  } catch (error) {
    if (error instanceof JpegError) throw error;
    throw new JpegError(`the JPEG file cannot be read: ${(error as Error).message.split('\n')[0]}`);
  }
}
