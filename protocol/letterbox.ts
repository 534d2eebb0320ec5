/** Where the picture lies in the service's input. `stretch` fills the input and changes the aspect. */
export type LetterboxAlign = 'top-left' | 'center' | 'stretch';

export interface InputSpec {
  /** Pixels of the service's input. */
  width: number;
  height: number;
  letterbox: { align: LetterboxAlign /** Grey of the border, 0..255. */; pad: number };
}

/** How one source picture lies in the input. */
export interface Fit {
  /** Size of the picture inside the input, pixels. */
  width: number;
  height: number;
  /** Its top left corner in the input, pixels. */
  offsetX: number;
  offsetY: number;
  /** Input pixels per source pixel: exactly width / source width, so that the way back is exact too. */
  scaleX: number;
  scaleY: number;
  sourceWidth: number;
  sourceHeight: number;
}

export type Box = [x: number, y: number, width: number, height: number];

/**
 * Size and place of a source picture in the input: scale = min(W / sw, H / sh), sizes rounded down, at least 1.
 * In integers, so that 1 / sw * sw never loses a row: the side that fills the input fills it exactly.
 * @param input the manifest's `input`
 * @param sourceWidth pixels, at least 1
 * @param sourceHeight pixels, at least 1
 */
export function fitPicture(input: InputSpec, sourceWidth: number, sourceHeight: number): Fit {
  const { width: W, height: H } = input;
  let width = W;
  let height = H;
  if (input.letterbox.align !== 'stretch') {
    if (W * sourceHeight <= H * sourceWidth) height = Math.max(1, Math.floor((sourceHeight * W) / sourceWidth));
    else width = Math.max(1, Math.floor((sourceWidth * H) / sourceHeight));
  }
  const centred = input.letterbox.align === 'center';
  return {
    width,
    height,
    offsetX: centred ? Math.floor((W - width) / 2) : 0,
    offsetY: centred ? Math.floor((H - height) / 2) : 0,
    scaleX: width / sourceWidth,
    scaleY: height / sourceHeight,
    sourceWidth,
    sourceHeight,
  };
}

/** A box in source pixels to input pixels. Not cut. */
export function toInput(fit: Fit, [x, y, w, h]: Box): Box {
  return [x * fit.scaleX + fit.offsetX, y * fit.scaleY + fit.offsetY, w * fit.scaleX, h * fit.scaleY];
}

/** A box in input pixels to source pixels, cut to the source picture; width or height 0 when it lies outside. */
export function toSource(fit: Fit, [x, y, w, h]: Box): Box {
  const left = clamp((x - fit.offsetX) / fit.scaleX, fit.sourceWidth);
  const top = clamp((y - fit.offsetY) / fit.scaleY, fit.sourceHeight);
  const right = clamp((x + w - fit.offsetX) / fit.scaleX, fit.sourceWidth);
  const bottom = clamp((y + h - fit.offsetY) / fit.scaleY, fit.sourceHeight);
  return [left, top, right - left, bottom - top];
}

/**
 * Puts a picture that already has the fit's size into the input: copies rows, pads the rest.
 * @param picture RGB, fit.width * fit.height * 3 bytes
 * @param out input.width * input.height * 3 bytes, overwritten
 */
export function placePicture(input: InputSpec, fit: Fit, picture: Uint8Array, out: Uint8Array): void {
  const row = fit.width * 3;
  const stride = input.width * 3;
  if (picture.length !== row * fit.height)
    throw new RangeError(`picture of ${picture.length} bytes, not ${row * fit.height}`);
  if (out.length !== stride * input.height)
    throw new RangeError(`input of ${out.length} bytes, not ${stride * input.height}`);
  if (picture.length === out.length) {
    out.set(picture);
    return;
  }
  out.fill(input.letterbox.pad);
  for (let y = 0; y < fit.height; y++) {
    out.set(picture.subarray(y * row, (y + 1) * row), (fit.offsetY + y) * stride + fit.offsetX * 3);
  }
}

const clamp = (value: number, max: number): number => Math.min(Math.max(value, 0), max);
