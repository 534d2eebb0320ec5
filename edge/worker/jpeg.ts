import sharp from 'sharp';

/** A JPEG file that is none, or not of the size that the service takes. */
export class JpegError extends Error {
  override readonly name = 'JpegError';
}

/** Where the frame of a JPEG file with its size begins: baseline and progressive, 8 bits a sample. */
const START_OF_IMAGE = 0xffd8;

/**
 * The pixels of a JPEG file. Untrusted input: nothing but JPEG is read (libvips would take many formats), a file that announces
 * more pixels than are wanted is not decoded, and one that ends early or is damaged is refused. Runs beside the main thread.
 * @returns RGB, `width * height * 3` bytes
 * @throws JpegError
 */
export async function decodeJpeg(
  file: Uint8Array,
  { width, height }: { width: number; height: number },
): Promise<Uint8Array> {
  if (file.length < 4 || ((file[0] << 8) | file[1]) !== START_OF_IMAGE)
    throw new JpegError('the payload is no JPEG file');
  try {
    const image = sharp(file, { limitInputPixels: width * height, failOn: 'warning', sequentialRead: true });
    const { data, info } = await image.toColourspace('srgb').removeAlpha().raw().toBuffer({ resolveWithObject: true });
    if (info.width === width && info.height === height && info.channels === 3) return data;
    throw new JpegError(`a picture of ${info.width}x${info.height}; the service takes ${width}x${height}`);
  } catch (error) {
    if (error instanceof JpegError) throw error;
    throw new JpegError(`the JPEG file cannot be read: ${(error as Error).message.split('\n')[0]}`);
  }
}
