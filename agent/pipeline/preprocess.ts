import { type Fit, fitPicture, type InputSpec, placePicture } from '../../protocol/letterbox.js';
import type { Picture } from '../camera/camera.js';
import { placePlanes, placeYuv } from '../camera/yuv.js';
import { type Colours, pictureBytes } from './colours.js';

/** From a camera's picture to the service's input: uint8, RGB or planes, letterboxed. The camera has scaled it already. */
export class Preprocessor {
  readonly input: InputSpec;
  #last: Fit | undefined;

  constructor(input: InputSpec) {
    this.input = input;
  }

  /** Bytes of one input of RGB. */
  get bytes(): number {
    return pictureBytes(this.input, 'rgb');
  }

  /** The size that a camera should scale a source picture to. */
  readonly fit = (sourceWidth: number, sourceHeight: number): Fit => {
    const last = this.#last;
    if (last?.sourceWidth === sourceWidth && last.sourceHeight === sourceHeight) return last;
    this.#last = fitPicture(this.input, sourceWidth, sourceHeight);
    return this.#last;
  };

  /** `yuv` for a picture that can be placed as planes: it has them, and its chroma values lie on those of the input. */
  coloursOf({ yuv, sourceWidth, sourceHeight }: Picture): Colours {
    const { offsetX, offsetY } = this.fit(sourceWidth, sourceHeight);
    return yuv && offsetX % 2 === 0 && offsetY % 2 === 0 ? 'yuv' : 'rgb';
  }

  /**
   * @param out overwritten: `pictureBytes` of these colours
   * @param colours `yuv` only where `coloursOf` says so
   * @throws RangeError when the picture has not the size that `fit` gave
   */
  place(picture: Picture, out: Uint8Array, colours: Colours = 'rgb'): void {
    const fit = this.fit(picture.sourceWidth, picture.sourceHeight);
    if (picture.yuv && colours === 'yuv') placePlanes(this.input, fit, picture.data, picture.yuv, out);
    else if (picture.yuv) placeYuv(this.input, fit, picture.data, picture.yuv, out);
    else placePicture(this.input, fit, picture.data, out);
  }
}
