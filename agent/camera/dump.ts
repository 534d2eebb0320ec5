import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { Scene, SOURCE_HEIGHT, SOURCE_WIDTH } from './simulated/scene.js';
import { drawFrame } from './simulated.js';

const usage = `Writes pictures of the simulated camera, with their boxes, as a COCO data set.
  node dist/agent/camera/dump.js --out DIR [--frames 100] [--seed 1] [--per-seed 4] [--every 97] [--width 416]
  --frames    pictures in all          --seed   first site; the next sites follow
  --per-seed  pictures of one site     --every  frames between two pictures of one site (15 are one second)
  --width     pixels; height follows (${SOURCE_WIDTH}x${SOURCE_HEIGHT})`;

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    frames: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    'per-seed': { type: 'string', default: '4' },
    every: { type: 'string', default: '397' },
    width: { type: 'string', default: '416' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

function whole(name: 'frames' | 'seed' | 'per-seed' | 'every' | 'width', low: number, high: number): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  console.error(`--${name} is ${values[name]}; it must be a whole number from ${low} to ${high}`);
  process.exit(2);
}

if (values.help || !values.out) {
  console.error(usage);
  process.exit(values.help ? 0 : 2);
}
const frames = whole('frames', 1, 1_000_000);
const seed = whole('seed', 0, 0xffffffff);
const perSeed = whole('per-seed', 1, 1_000_000);
const every = whole('every', 1, 1_000_000);
const width = whole('width', 16, 8192);
const height = Math.max(1, Math.floor((SOURCE_HEIGHT * width) / SOURCE_WIDTH));

await mkdir(join(values.out, 'images'), { recursive: true });
const images: object[] = [];
const annotations: object[] = [];
let scene: Scene | null = null;
for (let i = 0; i < frames; i++) {
  const site = seed + Math.floor(i / perSeed);
  if (i % perSeed === 0 || scene === null) scene = new Scene(site);
  const index = (i % perSeed) * every;
  const { data, truth } = await drawFrame(scene, site, index, { width, height });
  const name = `site${String(site).padStart(5, '0')}_${String(index).padStart(6, '0')}.jpg`;
  const id = i + 1;
  await sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 92 })
    .toFile(join(values.out, 'images', name));
  images.push({ id, file_name: name, width, height });
  for (const found of truth ?? []) {
    const [x, y, w, h] = found.box.map((v, k) =>
      round((v * (k % 2 === 0 ? width : height)) / (k % 2 === 0 ? SOURCE_WIDTH : SOURCE_HEIGHT)),
    );
    annotations.push({
      id: annotations.length + 1,
      image_id: id,
      category_id: found.class,
      bbox: [x, y, w, h],
      area: round((w as number) * (h as number)),
      iscrowd: 0,
    });
  }
}
const categories = [
  { id: 0, name: 'head' },
  { id: 1, name: 'helmet' },
];
await writeFile(join(values.out, 'instances.json'), JSON.stringify({ images, annotations, categories }));
console.log(`${frames} pictures, ${annotations.length} boxes in ${values.out}`);

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
