import sharp from 'sharp';
import t from 'tap';
import { placePlanes, placeYuv, rgbOf, type Yuv420, yuvBytes } from '../../../agent/camera/yuv.js';
import { pictureBytes } from '../../../agent/pipeline/colours.js';
import { Preprocessor } from '../../../agent/pipeline/preprocess.js';
import { fitPicture } from '../../../protocol/letterbox.js';

/** Planes of one colour, with other bytes beside the picture. */
function planes(yuv: Yuv420, width: number, [y, u, v]: readonly number[]): Uint8Array {
  const data = new Uint8Array(yuvBytes(yuv)).fill(238);
  for (let row = 0; row < yuv.rows; row++) data.fill(y, row * yuv.stride, row * yuv.stride + width);
  for (let row = 0; row < yuv.rows / 2; row++) {
    const at = yuv.stride * yuv.rows + (row * yuv.stride) / 2;
    data.fill(u, at, at + Math.ceil(width / 2));
    data.fill(v, at + (yuv.stride * yuv.rows) / 4, at + (yuv.stride * yuv.rows) / 4 + Math.ceil(width / 2));
  }
  return data;
}

const clamp = (value: number) => Math.min(255, Math.max(0, Math.round(value)));

t.test('colours: BT.601, full range, to the nearest level', async (t) => {
  const yuv = { stride: 4, rows: 2 };
  let worst = 0;
  for (let i = 0; i < 3000; i++) {
    const [y, u, v] = [(i * 37) & 255, (i * 101) & 255, (i * 59) & 255];
    const rgb = rgbOf({
      ...{ data: planes(yuv, 3, [y, u, v]), yuv, width: 3, height: 1, sourceWidth: 3, sourceHeight: 1 },
      ...{ capturedAt: 0, captureMs: 0 },
    });
    const expected = [
      y + 1.402 * (v - 128),
      y - 0.344136 * (u - 128) - 0.714136 * (v - 128),
      y + 1.772 * (u - 128),
    ].map(clamp);
    for (let at = 0; at < 9; at++) worst = Math.max(worst, Math.abs(rgb[at] - expected[at % 3]));
  }
  t.equal(worst, 0);
});

t.test('the same as JPEG, which is what camera pictures are trained with', async (t) => {
  const [width, height] = [64, 48];
  const rgb = new Uint8Array(width * height * 3);
  // smooth: chroma is spread differently at edges
  for (let i = 0; i < width * height; i++) {
    rgb.set([40 + 3 * (i % width), 30 + 4 * Math.floor(i / width), 200 - 2 * (i % width)], 3 * i);
  }
  const yuv = { stride: width, rows: height };
  const data = new Uint8Array(yuvBytes(yuv));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [r, g, b] = rgb.subarray(3 * (y * width + x));
      data[y * width + x] = clamp(0.299 * r + 0.587 * g + 0.114 * b);
      const chroma = width * height + ((y >> 1) * width) / 2 + (x >> 1);
      data[chroma] = clamp(-0.168736 * r - 0.331264 * g + 0.5 * b + 128);
      data[chroma + (width * height) / 4] = clamp(0.5 * r - 0.418688 * g - 0.081312 * b + 128);
    }
  }
  const jpeg = await sharp(rgb, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 100 })
    .toBuffer();
  const decoded = await sharp(jpeg).raw().toBuffer();
  const ours = rgbOf({ data, yuv, width, height, sourceWidth: 1, sourceHeight: 1, capturedAt: 0, captureMs: 0 });
  let worst = 0;
  for (let i = 0; i < ours.length; i++) worst = Math.max(worst, Math.abs(ours[i] - decoded[i]));
  t.ok(worst <= 8, `${worst} levels apart at most`);
});

t.test('straight into the input: letterboxed, odd sizes, other padding', async (t) => {
  const input = { width: 20, height: 12, letterbox: { align: 'center', pad: 114 } } as const;
  for (const [sourceWidth, sourceHeight] of [
    [200, 100],
    [200, 110],
    [90, 120],
    [200, 120],
  ]) {
    const { width, height } = fitPicture(input, sourceWidth, sourceHeight);
    const yuv = { stride: 32, rows: height + (height & 1) };
    const picture = { data: planes(yuv, width, [100, 128, 128]), yuv, width, height, sourceWidth, sourceHeight };
    const out = new Uint8Array(20 * 12 * 3).fill(7);
    new Preprocessor(input).place({ ...picture, capturedAt: 0, captureMs: 0 }, out);
    const inside = out.filter((value) => value === 100).length;
    t.equal(inside, width * height * 3, `${width}x${height}`);
    t.equal(out.filter((value) => value === 114).length, out.length - inside);
    const rgb = rgbOf({ ...picture, capturedAt: 0, captureMs: 0 });
    const again = new Uint8Array(out.length);
    new Preprocessor(input).place({ ...picture, data: rgb, yuv: undefined, capturedAt: 0, captureMs: 0 }, again);
    t.same(again, out, 'as by way of RGB');
  }
  const fit = fitPicture(input, 200, 100);
  const short = new Uint8Array(10);
  t.throws(() => placeYuv(input, fit, short, { stride: 32, rows: 10 }, new Uint8Array(720)), /are no picture of 20x10/);
  t.throws(() => placeYuv(input, fit, short, { stride: 32, rows: 10 }, short), /input of 10 bytes/);
});

t.test('as planes into the input: the same picture as by way of RGB', async (t) => {
  const input = { width: 20, height: 12, letterbox: { align: 'center', pad: 114 } } as const;
  for (const [sourceWidth, sourceHeight, colours] of [
    [200, 120, 'yuv'],
    [200, 80, 'yuv'],
    [200, 70, 'yuv'], // odd: 20x7 from row 2 on
    [130, 120, 'rgb'], // 13x12 from column 3 on: two chroma values in one
    [90, 120, 'rgb'],
  ] as const) {
    const { width, height, offsetX, offsetY } = fitPicture(input, sourceWidth, sourceHeight);
    const yuv = { stride: 32, rows: height + (height & 1) };
    const data = Uint8Array.from({ length: yuvBytes(yuv) }, (_, i) => (i * 37 + (i >> 3)) & 255);
    const times = { capturedAt: 0, captureMs: 0 };
    const picture = { data, yuv, width, height, sourceWidth, sourceHeight, ...times };
    const preprocessor = new Preprocessor(input);
    t.equal(preprocessor.coloursOf(picture), colours, `${width}x${height} at ${offsetX}, ${offsetY}`);
    t.equal(preprocessor.coloursOf({ ...picture, yuv: undefined }), 'rgb');
    if (colours === 'rgb') continue;
    const planes = new Uint8Array(pictureBytes(input, 'yuv')).fill(7);
    preprocessor.place(picture, planes, 'yuv');
    const placed = { stride: input.width, rows: input.height };
    const whole = { ...times, sourceWidth, sourceHeight, width: input.width, height: input.height };
    const seen = rgbOf({ ...whole, data: planes, yuv: placed });
    const out = new Uint8Array(preprocessor.bytes);
    preprocessor.place(picture, out);
    const differing = new Set<number>();
    for (let i = 0; i < out.length; i++) if (out[i] !== seen[i]) differing.add(Math.floor(i / (3 * input.width)));
    t.same(
      [...differing],
      height % 2 ? [offsetY + height] : [],
      'but for the row of the border that shares its chroma',
    );
  }
  const fit = fitPicture(input, 200, 120);
  const yuv = { stride: 20, rows: 12 };
  t.throws(() => placePlanes(input, fit, new Uint8Array(10), yuv, new Uint8Array(360)), /are no picture of 20x12/);
  t.throws(() => placePlanes(input, fit, new Uint8Array(360), yuv, new Uint8Array(10)), /input of 10 bytes, not 360/);
});
