import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import t from 'tap';
import { packageRoot } from '../../platform/root.js';

const run = promisify(execFile);
const dump = join(packageRoot(), 'dist', 'agent', 'camera', 'dump.js');

interface Coco {
  images: { id: number; file_name: string; width: number; height: number }[];
  annotations: {
    id: number;
    image_id: number;
    category_id: number;
    bbox: [number, number, number, number];
    area: number;
  }[];
  categories: { id: number; name: string }[];
}

t.test('writes pictures and boxes that fit together, the same every time', async (t) => {
  const out = t.testdir({});
  const args = [
    dump,
    '--out',
    out,
    '--frames',
    '5',
    '--seed',
    '40',
    '--per-seed',
    '2',
    '--every',
    '100',
    '--width',
    '320',
  ];
  const { stdout } = await run(process.execPath, args);
  t.match(stdout, /5 pictures, \d+ boxes/);
  const text = await readFile(join(out, 'instances.json'), 'utf8');
  const coco = JSON.parse(text) as Coco;
  t.same(
    coco.images.map((image) => image.file_name),
    [
      'site00040_000000.jpg',
      'site00040_000100.jpg',
      'site00041_000000.jpg',
      'site00041_000100.jpg',
      'site00042_000000.jpg',
    ],
  );
  t.same(coco.categories, [
    { id: 0, name: 'head' },
    { id: 1, name: 'helmet' },
  ]);
  for (const image of coco.images) {
    const { width, height } = await sharp(join(out, 'images', image.file_name)).metadata();
    t.same([image.width, image.height], [width, height]);
    t.equal(width, 320);
  }
  t.equal(new Set(coco.annotations.map((a) => a.id)).size, coco.annotations.length);
  t.ok(coco.annotations.length > 10);
  for (const { image_id, category_id, bbox } of coco.annotations) {
    const image = coco.images.find((i) => i.id === image_id);
    const [x, y, w, h] = bbox;
    const inside =
      image && x >= 0 && y >= 0 && x + w <= image.width + 0.05 && y + h <= image.height + 0.05 && w > 0 && h > 0;
    if (!inside || (category_id !== 0 && category_id !== 1)) t.fail(JSON.stringify({ image_id, category_id, bbox }));
  }
  const first = await readFile(join(out, 'images', 'site00041_000100.jpg'));
  await run(process.execPath, args);
  t.equal(await readFile(join(out, 'instances.json'), 'utf8'), text);
  t.ok(first.equals(await readFile(join(out, 'images', 'site00041_000100.jpg'))));
});

t.test('wrong options: names them, exit code 2', async (t) => {
  const fails = async (...args: string[]): Promise<{ code: number; stderr: string }> =>
    run(process.execPath, [dump, ...args]).then(
      () => ({ code: 0, stderr: '' }),
      (error: { code: number; stderr: string }) => error,
    );
  t.match(await fails(), { code: 2, stderr: /--out/ });
  t.match(await fails('--out', t.testdir({}), '--frames', 'many'), { code: 2, stderr: /--frames many/ });
  t.match(await fails('--out', t.testdir({}), '--colour', 'red'), { code: 2, stderr: /--colour/ });
});
