import { createHash } from 'node:crypto';
import t from 'tap';
import { openCamera, type Picture } from '../../agent/camera/index.js';
import { Scene, SOURCE_HEIGHT, SOURCE_WIDTH } from '../../agent/camera/simulated/scene.js';
import { DEFAULT_SEED, drawFrame } from '../../agent/camera/simulated.js';
import { in416, never } from './pictures.js';

const hash = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

async function take(seed: number, frames: number): Promise<Picture[]> {
  const camera = await openCamera({ source: 'simulated', seed, frames }, in416);
  const pictures: Picture[] = [];
  for (let p = await camera.next(never); p; p = await camera.next(never)) pictures.push(p);
  await camera.close();
  return pictures;
}

t.test('gives pictures of the size that fit() asks for, and ends after `frames`', async (t) => {
  const pictures = await take(3, 4);
  t.equal(pictures.length, 4);
  for (const p of pictures) {
    t.equal(p.data.length, 416 * 234 * 3);
    t.same([p.width, p.height, p.sourceWidth, p.sourceHeight], [416, 234, SOURCE_WIDTH, SOURCE_HEIGHT]);
    t.ok(p.captureMs > 0 && p.capturedAt > 0);
  }
});

t.test('the same seed and frame give the same bytes, whatever came before', async (t) => {
  const first = await take(11, 6);
  const second = await take(11, 6);
  t.same(
    first.map((p) => hash(p.data)),
    second.map((p) => hash(p.data)),
  );
  t.same(
    first.map((p) => p.truth),
    second.map((p) => p.truth),
  );
  const alone = await drawFrame(new Scene(11), 11, 4, { width: 416, height: 234 });
  t.equal(hash(alone.data), hash((first[4] as Picture).data), 'a frame drawn alone is the frame of the stream');
  t.equal(new Set(first.map((p) => hash(p.data))).size, 6, 'every frame differs from the others');
  const [other] = await take(12, 1);
  t.not(hash((other as Picture).data), hash((first[0] as Picture).data), 'another seed is another site');
});

t.test('ground truth of 200 sites: inside the picture, plausible, both classes', async (t) => {
  const counts = [0, 0];
  let empty = 0;
  for (let seed = 0; seed < 200; seed++) {
    const scene = new Scene(seed);
    for (const seconds of [0, 7.4, 1e6]) {
      const { truth } = scene.at(seconds);
      if (truth.length === 0) empty++;
      for (const { class: kind, label, score, box } of truth) {
        const [x, y, w, h] = box;
        const good =
          x >= 0 &&
          y >= 0 &&
          x + w <= SOURCE_WIDTH + 0.11 &&
          y + h <= SOURCE_HEIGHT + 0.11 &&
          w >= 3 &&
          h >= 6 &&
          w <= 260 &&
          h <= 260 &&
          score === 1 &&
          label === ['head', 'helmet'][kind];
        if (!good) t.fail(`seed ${seed} at ${seconds} s: ${label} ${box}`);
        counts[kind] = (counts[kind] ?? 0) + 1;
      }
    }
  }
  t.ok((counts[0] as number) > 800 && (counts[1] as number) > 800, `heads ${counts[0]}, helmets ${counts[1]}`);
  t.ok(empty < 12, `${empty} of 600 moments show nobody`);
});

t.test('a helmet box holds the colour of a helmet, and people move', async (t) => {
  // helmets are vivid or white; the ground and the sky behind a box that is off would be neither
  const scene = new Scene(DEFAULT_SEED);
  const { data, truth } = await drawFrame(scene, DEFAULT_SEED, 0, { width: SOURCE_WIDTH, height: SOURCE_HEIGHT });
  const helmets = (truth ?? []).filter((d) => d.class === 1);
  t.ok(helmets.length >= 2, 'the default site shows helmets');
  t.ok(
    (truth ?? []).some((d) => d.class === 0),
    'and a bare head',
  );
  let vivid = 0;
  for (const { box } of helmets) {
    const x = Math.round(box[0] + box[2] / 2);
    const y = Math.round(box[1] + box[3] * 0.2);
    const at = (y * SOURCE_WIDTH + x) * 3;
    const [r, g, b] = [data[at] as number, data[at + 1] as number, data[at + 2] as number];
    if (Math.max(r, g, b) - Math.min(r, g, b) > 70 || Math.min(r, g, b) > 165) vivid++;
  }
  t.ok(vivid >= helmets.length * 0.7, `${vivid} of ${helmets.length}`);

  const later = scene.at(5).truth;
  const stay = later.filter((d) => (truth ?? []).some((e) => e.box.join() === d.box.join()));
  t.ok(stay.length < later.length, 'five seconds later somebody has moved');
});

t.test('frames differ little from one to the next, but light changes over minutes', async (t) => {
  const scene = new Scene(5);
  const mean = (data: Uint8Array): number => data.reduce((sum, v) => sum + v, 0) / data.length;
  const size = { width: 208, height: 117 };
  const at = async (index: number): Promise<Uint8Array> => (await drawFrame(scene, 5, index, size)).data;
  const [a, b] = [await at(0), await at(1)];
  let difference = 0;
  a.forEach((v, i) => {
    difference += Math.abs(v - (b[i] as number));
  });
  t.ok(difference / a.length < 8, `mean difference of neighbours ${difference / a.length}`);
  const brightness = await Promise.all([0, 900, 1800, 2700, 3600].map(async (i) => mean(await at(i))));
  t.ok(Math.max(...brightness) - Math.min(...brightness) > 12, brightness.map(Math.round).join(' '));
});

t.test('an aborted wait ends at once and later calls go on', async (t) => {
  const camera = await openCamera({ source: 'simulated', seed: 2, fps: 0.01 }, in416);
  t.ok(await camera.next(never), 'the first picture comes at once');
  const stop = new AbortController();
  const waiting = camera.next(stop.signal);
  stop.abort(new Error('enough'));
  await t.rejects(waiting, { message: 'enough' });
  await t.rejects(camera.next(stop.signal), { message: 'enough' });
  await camera.close();
  t.equal(await camera.next(never), null, 'a closed camera has ended');
});

t.test('an unknown camera is named, with what there is', async (t) => {
  await t.rejects(openCamera({ source: 'simulatd' }, in416), {
    code: 'camera_unknown',
    hint: /simulated/,
    exitCode: 2,
  });
  await t.rejects(openCamera({ source: 'constructor' }, in416), { code: 'camera_unknown' });
});
