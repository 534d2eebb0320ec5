import { openCamera } from '../../agent/camera/index.js';
import { FrameEncoder } from '../../agent/pipeline/encode.js';
import { Heads } from '../../agent/pipeline/head.js';
import { Preprocessor } from '../../agent/pipeline/preprocess.js';
import type { Bundle } from '../../platform/bundle.js';

const pictures = 8;

/**
 * Frame messages of one partition point, made as an agent makes them, of pictures of the simulated camera.
 * @param index of the partition in the manifest; below 0: pixels
 */
export async function messagesFor(
  bundle: Bundle,
  index: number,
  rate: number,
  threads?: number,
): Promise<Uint8Array[]> {
  const preprocessor = new Preprocessor(bundle.manifest.input);
  const camera = await openCamera({ source: 'simulated', seed: 1, frames: pictures }, preprocessor.fit);
  const heads = new Heads(bundle, threads);
  const encoder = new FrameEncoder(bundle, 1);
  const messages: Uint8Array[] = [];
  for (let frame = 0; frame < pictures; frame++) {
    const picture = await camera.next(AbortSignal.timeout(60_000));
    if (picture === null) break;
    const input = new Uint8Array(preprocessor.bytes);
    preprocessor.place(picture, input);
    const info = { frame, sourceWidth: picture.sourceWidth, sourceHeight: picture.sourceHeight };
    if (index < 0) messages.push(encoder.pixels(input, info));
    else messages.push(encoder.symbols(index, rate, (await heads.run(index, rate, input)).symbols, info));
  }
  await heads.close();
  await camera.close();
  return messages;
}
