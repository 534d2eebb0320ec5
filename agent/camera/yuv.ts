import type { Fit, InputSpec } from '../../protocol/letterbox.js';
import type { Picture } from './camera.js';

/**
 * Planes of Y, U and V one after the other, chroma halved both ways: BT.601 with the full range 0..255, as in JPEG. The
 * rows of U and V are half as long as those of Y.
 */
export interface Yuv420 {
  /** Bytes of a row of Y: even, at least the picture's width. */
  stride: number;
  /** Rows of Y: even, at least the picture's height. */
  rows: number;
}

/** Bytes of all planes. */
export function yuvBytes({ stride, rows }: Yuv420): number {
  return (stride * rows * 3) / 2;
}

/** What a chroma value adds to red, to green (twice) and to blue: R = Y + 1.402 V', B = Y + 1.772 U'. */
const RED_V = table(1.402, 0.5);
const GREEN_U = table(-0.344136, 0.5);
const GREEN_V = table(-0.714136, 0);
const BLUE_U = table(1.772, 0.5);

/** In 1/65536; the half that rounds is in it already, once for both parts of green. */
function table(factor: number, half: number): Int32Array {
  return Int32Array.from({ length: 256 }, (_, chroma) => Math.round(((chroma - 128) * factor + half) * 65536));
}

/**
 * Puts a picture that has the fit's size into the service's input, letterboxed: the colours are converted on the way, so
 * that no RGB picture stands in between. Every chroma value serves its four pixels.
 * @param data planes, laid out as `yuv` says
 * @param out input.width * input.height * 3 bytes of RGB, overwritten
 * @throws RangeError when a size does not fit
 */
export function placeYuv(input: InputSpec, fit: Fit, data: Uint8Array, yuv: Yuv420, out: Uint8Array): void {
  if (out.length !== input.width * input.height * 3) {
    throw new RangeError(`input of ${out.length} bytes, not ${input.width * input.height * 3}`);
  }
  if (fit.width !== input.width || fit.height !== input.height) out.fill(input.letterbox.pad);
  const start = (fit.offsetY * input.width + fit.offsetX) * 3;
  convert(data, yuv, fit.width, fit.height, out, start, input.width * 3);
}

/**
 * Puts a picture that has the fit's size into the service's input, letterboxed, as planes: rows are copied. The fit's
 * offsets are even. A chroma value at the end of an odd row or column serves a pixel of the border too.
 * @param data planes, laid out as `yuv` says
 * @param out input.width * input.height * 3 / 2 bytes, overwritten: Y, then U, then V, their rows without padding
 * @throws RangeError when a size does not fit
 */
export function placePlanes(input: InputSpec, fit: Fit, data: Uint8Array, yuv: Yuv420, out: Uint8Array): void {
  const { width, height } = input;
  if (out.length !== yuvBytes({ stride: width, rows: height })) {
    throw new RangeError(`input of ${out.length} bytes, not ${yuvBytes({ stride: width, rows: height })}`);
  }
  checkPlanes(data, yuv, fit.width, fit.height);
  const luma = width * height;
  if (fit.width !== width || fit.height !== height) {
    // grey
    out.fill(input.letterbox.pad, 0, luma);
    out.fill(128, luma);
  }
  const { stride, rows } = yuv;
  const { offsetX: x, offsetY: y } = fit;
  const copy = (
    from: number,
    fromStride: number,
    to: number,
    toStride: number,
    length: number,
    count: number,
  ): void => {
    for (let row = 0; row < count; row++) {
      const start = from + row * fromStride;
      out.set(data.subarray(start, start + length), to + row * toStride);
    }
  };
  copy(0, stride, y * width + x, width, fit.width, fit.height);
  for (const plane of [0, 1]) {
    const from = stride * rows + plane * ((stride * rows) >> 2);
    const to = luma + plane * (luma >> 2) + ((y * width) >> 2) + (x >> 1);
    copy(from, stride >> 1, to, width >> 1, (fit.width + 1) >> 1, (fit.height + 1) >> 1);
  }
}

/** The picture as RGB, `width * height * 3` bytes; what is RGB already is given as it is. */
export function rgbOf({ data, yuv, width, height }: Picture): Uint8Array {
  if (!yuv) return data;
  const out = new Uint8Array(width * height * 3);
  convert(data, yuv, width, height, out, 0, width * 3);
  return out;
}

function convert(
  data: Uint8Array,
  yuv: Yuv420,
  width: number,
  height: number,
  out: Uint8Array,
  start: number,
  outStride: number,
): void {
  const { stride, rows } = yuv;
  checkPlanes(data, yuv, width, height);
  // stores into this array saturate at 0 and 255
  const rgb = new Uint8ClampedArray(out.buffer, out.byteOffset, out.byteLength);
  const chromaStride = stride >> 1;
  const u0 = stride * rows;
  const v0 = u0 + chromaStride * (rows >> 1);
  for (let y = 0; y < height; y += 2) {
    const isPair = y + 1 < height;
    for (let x = 0; x < width; x += 2) {
      const chroma = (y >> 1) * chromaStride + (x >> 1);
      const u = data[u0 + chroma];
      const v = data[v0 + chroma];
      const red = RED_V[v] >> 16;
      const green = (GREEN_U[u] + GREEN_V[v]) >> 16;
      const blue = BLUE_U[u] >> 16;
      const luma = y * stride + x;
      const to = start + y * outStride + x * 3;
      const isWhole = x + 1 < width;
      put(rgb, to, data[luma], red, green, blue);
      if (isWhole) put(rgb, to + 3, data[luma + 1], red, green, blue);
      if (!isPair) continue;
      put(rgb, to + outStride, data[luma + stride], red, green, blue);
      if (isWhole) put(rgb, to + outStride + 3, data[luma + stride + 1], red, green, blue);
    }
  }
}

function checkPlanes(data: Uint8Array, yuv: Yuv420, width: number, height: number): void {
  const { stride, rows } = yuv;
  if (data.length < yuvBytes(yuv) || stride < width || rows < height) {
    throw new RangeError(`${data.length} bytes of YUV, ${stride} x ${rows}, are no picture of ${width}x${height}`);
  }
}

function put(rgb: Uint8ClampedArray, to: number, luma: number, red: number, green: number, blue: number): void {
  rgb[to] = luma + red;
  rgb[to + 1] = luma + green;
  rgb[to + 2] = luma + blue;
}
