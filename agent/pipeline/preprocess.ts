import { type Fit, fitPicture, type InputSpec, placePicture } from '../../protocol/letterbox.js';
import type { Picture } from '../camera/camera.js';
import { placeYuv } from '../camera/yuv.js';

/** From a camera's picture to the service's input: HWC uint8 RGB, letterboxed. The camera has scaled it already. */
export class Preprocessor {
  readonly input: InputSpec;
  #last: Fit | undefined;

  constructor(input: InputSpec) {
    this.input = input;
  }

  /** Bytes of one input. */
  get bytes(): number {
    return this.input.width * this.input.height * 3;
  }

  /** The size that a camera should scale a source picture to. */
  readonly fit = (sourceWidth: number, sourceHeight: number): Fit => {
    const last = this.#last;
    if (last?.sourceWidth === sourceWidth && last.sourceHeight === sourceHeight) return last;
    this.#last = fitPicture(this.input, sourceWidth, sourceHeight);
    return this.#last;
  };

  /**
   * @param out `bytes` long, overwritten
   * @throws RangeError when the picture has not the size that `fit` gave
   */
  place(picture: Picture, out: Uint8Array): void {
    const fit = this.fit(picture.sourceWidth, picture.sourceHeight);
    if (picture.yuv) placeYuv(this.input, fit, picture.data, picture.yuv, out);
    else placePicture(this.input, fit, picture.data, out);
  }
}
