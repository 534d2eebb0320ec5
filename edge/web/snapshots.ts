import sharp from 'sharp';
import { fitPicture, type InputSpec } from '../../protocol/letterbox.js';
import type { LiveStore, Snapshot } from '../store/live.js';
import { plainJpeg } from './plain-jpeg.js';

/** Pictures per second and device, at most: while somebody looks, and while they are only kept. */
const RATE = 10;
const KEPT_RATE = 1;
/** Pictures that are being compressed at a time, at most: a page must not take the machine from the frames. */
const AT_ONCE = 2;
const QUALITY = 80;

/** Pixels of one frame, RGB. */
export interface Pixels {
  data: Uint8Array;
  width: number;
  height: number;
}

/** Which frame a picture is of. */
interface FrameId {
  session: number;
  frame: number;
}

/**
 * Compresses pictures for the page, at most ten per second and device while somebody looks, one for the history otherwise,
 * off the main thread.
 * What is too much is left out; the page shows the next one.
 */
export class SnapshotMaker {
  readonly #last = new Map<string, number>();
  #busy = 0;

  constructor(readonly store: LiveStore) {}

  /**
   * @param pixels copied at once if they are taken: the caller may use them again
   * @returns whether the picture was taken
   */
  offer(device: string, frame: FrameId, pixels: Pixels, from: Snapshot['from'] = 'snapshot'): boolean {
    if (this.#busy >= AT_ONCE || !this.#isDue(device)) return false;
    this.#busy++;
    void this.#make(device, frame, { ...pixels, data: pixels.data.slice() }, from).finally(() => {
      this.#busy--;
    });
    return true;
  }

  /** The same for a letterboxed input: the padding is cut off. @param input what was sent, HWC RGB */
  offerInput(
    device: string,
    frame: FrameId,
    spec: InputSpec,
    source: { width: number; height: number },
    input: Uint8Array,
  ): boolean {
    if (this.#rate === 0 || input.length !== spec.width * spec.height * 3) return false;
    const { width, height, offsetX, offsetY } = fitPicture(spec, source.width, source.height);
    const data = new Uint8Array(width * height * 3);
    for (let y = 0; y < height; y++) {
      const from = ((offsetY + y) * spec.width + offsetX) * 3;
      data.set(input.subarray(from, from + width * 3), y * width * 3);
    }
    return this.offer(device, frame, { data, width, height }, 'input');
  }

  /**
   * A picture that a device sent as a JPEG file, as it is: it holds what of the input is the camera's picture, in that size.
   * @param file one that was decoded: damaged ones are not told apart here
   */
  offerJpeg(
    device: string,
    { session, frame }: FrameId,
    spec: InputSpec,
    source: { width: number; height: number },
    file: Uint8Array,
  ): boolean {
    if (!this.#isDue(device)) return false;
    const data = plainJpeg(file);
    if (data === undefined) return false;
    const { width, height } = fitPicture(spec, source.width, source.height);
    return this.store.onSnapshot(device, { session, frame, type: 'image/jpeg', data, width, height, from: 'input' });
  }

  /** Whether a device's next picture is wanted by now; if so, the one after it is later. */
  #isDue(device: string): boolean {
    const now = performance.now();
    const rate = this.#rate;
    if (rate === 0 || now - (this.#last.get(device) ?? Number.NEGATIVE_INFINITY) < 1000 / rate - 5) return false;
    this.#last.delete(device);
    this.#last.set(device, now);
    if (this.#last.size > this.store.limits.devices) this.#last.delete(this.#last.keys().next().value as string);
    return true;
  }

  get #rate(): number {
    if (this.store.watched) return RATE;
    return this.store.recorded ? KEPT_RATE : 0;
  }

  async #make(
    device: string,
    { session, frame }: FrameId,
    { data, width, height }: Pixels,
    from: Snapshot['from'],
  ): Promise<void> {
    try {
      const jpeg = await sharp(data, { raw: { width, height, channels: 3 } })
        .jpeg({ quality: QUALITY })
        .toBuffer();
      this.store.onSnapshot(device, { session, frame, type: 'image/jpeg', data: jpeg, width, height, from });
    } catch {
      // a picture that does not compress is not shown; the frame's trip does not depend on it
    }
  }
}
