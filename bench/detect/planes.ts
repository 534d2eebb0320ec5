import type { Picture } from '../../agent/camera/camera.js';
import { yuvBytes } from '../../agent/camera/yuv.js';

/**
 * A picture of RGB as a camera gives it that has planes: BT.601, full range, rounded; a chroma value is the mean of its four
 * pixels. At the end of odd rows and columns pixels are doubled.
 */
export function planesOf({ data, width, height, ...rest }: Picture): Picture {
  const yuv = { stride: width + (width & 1), rows: height + (height & 1) };
  const planes = new Uint8ClampedArray(yuvBytes(yuv));
  const half = yuv.stride >> 1;
  const u0 = yuv.stride * yuv.rows;
  const v0 = u0 + half * (yuv.rows >> 1);
  for (let y = 0; y < yuv.rows; y += 2) {
    for (let x = 0; x < yuv.stride; x += 2) {
      let [u, v] = [0, 0];
      for (const [dx, dy] of CORNERS) {
        const at = (Math.min(y + dy, height - 1) * width + Math.min(x + dx, width - 1)) * 3;
        const [red, green, blue] = [data[at], data[at + 1], data[at + 2]];
        const luma = 0.299 * red + 0.587 * green + 0.114 * blue;
        planes[(y + dy) * yuv.stride + x + dx] = luma;
        u += (blue - luma) / 1.772;
        v += (red - luma) / 1.402;
      }
      const chroma = (y >> 1) * half + (x >> 1);
      planes[u0 + chroma] = 128 + u / 4;
      planes[v0 + chroma] = 128 + v / 4;
    }
  }
  return { data: new Uint8Array(planes.buffer), yuv, width, height, ...rest };
}

const CORNERS = [0, 1, 2, 3].map((i) => [i & 1, i >> 1] as const);
