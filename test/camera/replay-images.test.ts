import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import t, { type Test } from 'tap';
import type { CameraOptions } from '../../agent/camera/camera.js';
import { openCamera, type Picture } from '../../agent/camera/index.js';
import { asItIs, in416, jpeg, never, shared } from './pictures.js';

async function folder(t: Test, files: Record<string, Buffer | string>): Promise<string> {
  const path = t.testdir({});
  for (const [name, data] of Object.entries(files)) await writeFile(join(path, name), data);
  return path;
}

async function all(
  options: Partial<CameraOptions>,
  fit = asItIs,
): Promise<{ pictures: Picture[]; told: string[]; skipped: number }> {
  const told: string[] = [];
  const camera = await openCamera({ source: 'replay', warn: (text) => told.push(text), ...options }, fit);
  const pictures: Picture[] = [];
  for (let p = await camera.next(never); p; p = await camera.next(never)) pictures.push(p);
  await camera.close();
  return { pictures, told, skipped: camera.skipped ?? 0 };
}

const pixel = (p: Picture, x: number, y: number): number[] => [
  ...p.data.subarray((y * p.width + x) * 3, (y * p.width + x) * 3 + 3),
];

t.test('plays a folder in the order of its names, all formats, other files left alone', async (t) => {
  const picture = await jpeg(64, 48);
  const input = await folder(t, {
    '10.jpg': picture,
    '2.JPEG': picture,
    '1.png': await sharp(picture).png().toBuffer(),
    '3.webp': await sharp(picture).webp().toBuffer(),
    'notes.txt': 'not a picture',
    '.hidden.jpg': 'no',
  });
  const { pictures, told } = await all({ input });
  t.same(
    pictures.map((p) => p.name),
    ['1.png', '2.JPEG', '3.webp', '10.jpg'],
  );
  t.same(told, []);
  for (const p of pictures) {
    t.same([p.width, p.height, p.sourceWidth, p.sourceHeight, p.data.length], [64, 48, 64, 48, 64 * 48 * 3]);
    const [r, , b] = pixel(p, 10, 40) as [number, number, number];
    t.ok(r > 180 && b < 70, `${p.name} is red on the left: ${r} ${b}`);
  }
});

t.test('scales to what fit() asks for; the size of the source is kept', async (t) => {
  const input = await folder(t, { 'a.jpg': await jpeg(640, 480) });
  const { pictures } = await all({ input }, in416);
  const [p] = pictures as [Picture];
  t.same([p.width, p.height, p.sourceWidth, p.sourceHeight, p.data.length], [416, 312, 640, 480, 416 * 312 * 3]);
});

t.test('turns pictures upright by their EXIF orientation', async (t) => {
  // 6: the camera was turned; the stored right side... the stored left side is the top
  const input = await folder(t, { 'a.jpg': await jpeg(64, 48, 6) });
  const { pictures } = await all({ input });
  const [p] = pictures as [Picture];
  t.same([p.width, p.height, p.sourceWidth, p.sourceHeight], [48, 64, 48, 64]);
  const top = pixel(p, 10, 8) as [number, number, number];
  const bottom = pixel(p, 10, 56) as [number, number, number];
  t.ok(top[0] > 180 && top[2] < 70, `stored left, red, is on top: ${top}`);
  t.ok(bottom[2] > 180 && bottom[0] < 70, `stored right, blue, is below: ${bottom}`);
  t.ok((pixel(p, 45, 8)[1] as number) > 180, 'stored top, green, is on the right');
});

t.test('grey, transparent and 16-bit pictures come out as RGB bytes', async (t) => {
  const raw = { width: 8, height: 8, channels: 4 as const };
  const input = await folder(t, {
    'a-grey.png': await sharp(Buffer.alloc(64, 90), { raw: { width: 8, height: 8, channels: 1 } })
      .toColourspace('b-w')
      .png()
      .toBuffer(),
    'b-clear.png': await sharp(Buffer.alloc(256, 0), { raw }).png().toBuffer(),
    'c-deep.png': await sharp(await jpeg(8, 8))
      .toColourspace('rgb16')
      .png()
      .toBuffer(),
  });
  const { pictures, told } = await all({ input });
  t.same(told, []);
  t.same(
    pictures.map((p) => p.data.length),
    [192, 192, 192],
  );
  t.same(pixel(pictures[0] as Picture, 4, 4), [90, 90, 90]);
  t.same(pixel(pictures[1] as Picture, 4, 4), [114, 114, 114], 'behind transparency is the grey of the letterbox');
});

t.test('damaged files are told once each, counted, and left out; the others all come', async (t) => {
  const whole = await jpeg(320, 240);
  const flipped = Buffer.from(whole);
  for (let i = 3000; i < 3200; i++) flipped[i] = (flipped[i] as number) ^ 0x5a;
  const input = await folder(t, {
    '1.jpg': whole,
    '2-truncated.jpg': whole.subarray(0, whole.length >> 1),
    '3-empty.jpg': '',
    '4-text.png': 'this is no picture',
    '5-flipped.jpg': flipped,
    '6.jpg': whole,
  });
  const { pictures, told, skipped } = await all({ input });
  t.same(
    pictures.map((p) => p.name),
    ['1.jpg', '6.jpg'],
  );
  t.equal(skipped, 4);
  t.equal(told.length, 4);
  for (const [i, name] of ['2-truncated.jpg', '3-empty.jpg', '4-text.png', '5-flipped.jpg'].entries()) {
    t.match(told[i], name);
    t.notMatch(told[i], /\n/, 'one line');
  }

  const again = await all({ input, loop: true, frames: 7 });
  t.equal(again.pictures.length, 7, 'goes around');
  t.equal(again.told.length, 4, 'and does not repeat itself');
});

t.test('a file that disappears is like a damaged one', async (t) => {
  const input = await folder(t, { '1.jpg': await jpeg(32, 32), '2.jpg': await jpeg(32, 32) });
  const told: string[] = [];
  const camera = await openCamera({ source: 'replay', input, warn: (text) => told.push(text) }, asItIs);
  await rm(join(input, '2.jpg'));
  t.equal((await camera.next(never))?.name, '1.jpg');
  t.equal(await camera.next(never), null);
  t.match(told, [/2\.jpg.*ENOENT/]);
  await camera.close();
});

t.test('a folder of nothing but damaged files ends with an error, looping or not', async (t) => {
  const input = await folder(t, { 'a.jpg': 'x', 'b.jpg': 'y' });
  for (const loop of [false, true]) {
    await t.rejects(all({ input, loop }), { code: 'camera_no_images', exitCode: 4, message: /none of the 2 images/ });
  }
});

t.test('an empty folder, a missing one, and none at all: says what and where, exit code camera', async (t) => {
  const empty = await folder(t, {});
  await t.rejects(all({ input: empty }), {
    name: 'DeepcodError',
    code: 'camera_no_images',
    exitCode: 4,
    message: empty,
  });
  await mkdir(join(empty, 'images'));
  await writeFile(join(empty, 'images', 'a.jpg'), await jpeg(8, 8));
  await t.rejects(
    all({ input: empty }),
    { code: 'camera_no_images', hint: join(empty, 'images') },
    'points at the folder inside',
  );
  await t.rejects(all({ input: join(empty, 'nowhere') }), {
    code: 'camera_input_missing',
    exitCode: 4,
    message: /nowhere/,
  });
  await t.rejects(all({}), { code: 'camera_input_missing', exitCode: 2 });
});

t.test('one image is a camera too', async (t) => {
  const input = await folder(t, { 'a.jpg': await jpeg(32, 32) });
  const { pictures } = await all({ input: join(input, 'a.jpg'), loop: true, frames: 3 });
  t.equal(pictures.length, 3);
});

t.test('paces to fps, and waits for nothing once it is late', async (t) => {
  const input = await folder(t, { 'a.jpg': await jpeg(16, 16) });
  const camera = await openCamera({ source: 'replay', input, loop: true, fps: 25 }, asItIs);
  const taken: number[] = [];
  for (let i = 0; i < 6; i++) taken.push((await camera.next(never))?.capturedAt as number);
  await camera.close();
  // a lower bound holds on a busy machine too
  t.ok(
    (taken[5] as number) - (taken[0] as number) >= 5 * 40 - 8,
    `${(taken[5] as number) - (taken[0] as number)} ms for five`,
  );
});

t.test('real photos', async (t) => {
  const input =
    shared(t, 'hardhat-clean/images') ??
    (await folder(t, { 'a.jpg': await jpeg(500, 375), 'b.jpg': await jpeg(500, 333) }));
  const { pictures, told } = await all({ input, frames: 10 }, in416);
  t.same(told, []);
  t.ok(pictures.length >= 2);
  for (const p of pictures) t.equal(p.data.length, p.width * p.height * 3);
});
