import t from 'tap';
import { fitPicture, type InputSpec, placePicture, toInput, toSource } from '../../protocol/index.js';
import { vectors } from './vectors.js';

const spec = (width: number, height: number, align: InputSpec['letterbox']['align']): InputSpec => ({
  width,
  height,
  letterbox: { align, pad: 114 },
});
const near = (a: readonly number[], b: readonly number[]): boolean => a.every((v, i) => Math.abs(v - b[i]) < 1e-6);

t.test('golden sizes, places and boxes', async (t) => {
  for (const v of vectors.letterbox) {
    const fit = fitPicture(spec(...v.input, v.align), ...v.source);
    t.same([fit.width, fit.height], v.content, `${v.align} ${v.source}`);
    t.same([fit.offsetX, fit.offsetY], v.offset);
    t.ok(near(toInput(fit, v.box), v.boxInInput), `${toInput(fit, v.box)} is ${v.boxInInput}`);
  }
});

t.test('there and back for every source size up to 1000: the filled side is filled, boxes return', async (t) => {
  const wrong: string[] = [];
  for (const align of ['top-left', 'center', 'stretch'] as const) {
    const input = spec(416, 320, align);
    for (let n = 1; n <= 1000; n++) {
      const [sw, sh] = [n, ((n * 7919) % 1000) + 1];
      const fit = fitPicture(input, sw, sh);
      if (fit.width !== 416 && fit.height !== 320) wrong.push(`${sw}x${sh} fills no side`);
      if (fit.offsetX + fit.width > 416 || fit.offsetY + fit.height > 320) wrong.push(`${sw}x${sh} leaves the input`);
      const box: [number, number, number, number] = [sw / 4, sh / 4, sw / 2, sh / 2];
      if (!near(toSource(fit, toInput(fit, box)), box)) wrong.push(`${sw}x${sh} does not return`);
    }
  }
  t.same(wrong, []);
});

t.test('boxes are cut to the source picture', async (t) => {
  const fit = fitPicture(spec(32, 32, 'center'), 64, 32);
  t.same(toSource(fit, [-10, -10, 100, 100]), [0, 0, 64, 32]);
  t.same(toSource(fit, [0, 0, 32, 8]).slice(2), [64, 0]);
});

t.test('a picture is placed with its border', async (t) => {
  const input = spec(4, 4, 'center');
  const fit = fitPicture(input, 8, 4);
  t.same([fit.width, fit.height, fit.offsetX, fit.offsetY], [4, 2, 0, 1]);
  const out = new Uint8Array(48);
  placePicture(
    input,
    fit,
    Uint8Array.from({ length: 24 }, (_, i) => i),
    out,
  );
  t.same([...out.subarray(0, 12)], Array(12).fill(114));
  t.same(
    [...out.subarray(12, 36)],
    Array.from({ length: 24 }, (_, i) => i),
  );
  t.same([...out.subarray(36)], Array(12).fill(114));
  t.throws(() => placePicture(input, fit, new Uint8Array(23), out), RangeError);
  t.throws(() => placePicture(input, fit, new Uint8Array(24), new Uint8Array(47)), RangeError);
});
