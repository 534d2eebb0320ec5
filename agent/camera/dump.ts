#!/usr/bin/env node
/** `node dist/agent/camera/dump.js --out DIR`: pictures of the simulated camera with their boxes, to train on. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { ExitCode } from '../../platform/errors.js';
import { runMain, usageError } from '../../platform/main.js';
import { numberOption, parseOptions, text } from '../../platform/options.js';
import { Scene, SOURCE_HEIGHT, SOURCE_WIDTH } from './simulated/scene.js';
import { drawFrame } from './simulated.js';

const usage = `usage: node dist/agent/camera/dump.js --out DIR [options]

Writes pictures of the simulated camera (DIR/images/*.jpg) and their boxes (DIR/instances.json, COCO).

  --frames N      pictures in all (default: 100)
  --seed N        first site; the next sites follow (default: 1)
  --per-seed N    pictures of one site (default: 4)
  --every N       frames between two pictures of one site; 15 are one second (default: 397)
  --width N       pixels; the height follows, ${SOURCE_WIDTH}x${SOURCE_HEIGHT} (default: 416)
  --help          this text

Exit codes: 0 done, 1 unexpected, 2 usage.`;

const CATEGORIES = [
  { id: 0, name: 'head' },
  { id: 1, name: 'helmet' },
];

const JPEG_QUALITY = 92;

runMain(usage, async (args) => {
  const values = parseOptions(args, {
    out: text,
    frames: text,
    seed: text,
    'per-seed': text,
    every: text,
    width: text,
  });
  const number = (
    name: 'frames' | 'seed' | 'per-seed' | 'every' | 'width',
    usual: number,
    least: number,
    most: number,
  ) => numberOption(name, values[name], least, most) ?? usual;
  const plan = {
    frames: number('frames', 100, 1, 1e6),
    seed: number('seed', 1, 0, 2 ** 31),
    perSeed: number('per-seed', 4, 1, 1e6),
    every: number('every', 397, 1, 1e6),
    width: number('width', 416, 16, 8192),
  };
  if (!values.out) throw usageError('--out: say where to write');
  const boxes = await writeDataset(values.out, plan);
  process.stdout.write(`${plan.frames} pictures, ${boxes} boxes in ${values.out}\n`);
  return ExitCode.ok;
});

interface Plan {
  frames: number;
  seed: number;
  perSeed: number;
  every: number;
  width: number;
}

/** @returns the number of boxes */
async function writeDataset(out: string, { frames, seed, perSeed, every, width }: Plan): Promise<number> {
  const height = Math.max(1, Math.floor((SOURCE_HEIGHT * width) / SOURCE_WIDTH));
  const images: object[] = [];
  const annotations: object[] = [];
  await mkdir(join(out, 'images'), { recursive: true });
  let scene = new Scene(seed);
  for (let i = 0; i < frames; i++) {
    const site = seed + Math.floor(i / perSeed);
    if (i > 0 && i % perSeed === 0) scene = new Scene(site);
    const index = (i % perSeed) * every;
    const { data, truth } = await drawFrame(scene, site, index, { width, height });
    const file = `site${String(site).padStart(5, '0')}_${String(index).padStart(6, '0')}.jpg`;
    const picture = sharp(data, { raw: { width, height, channels: 3 } });
    await picture.jpeg({ quality: JPEG_QUALITY }).toFile(join(out, 'images', file));
    images.push({ id: i + 1, file_name: file, width, height });
    for (const { class: kind, box } of truth ?? []) {
      const [x, y, w, h] = box;
      const across = width / SOURCE_WIDTH;
      const down = height / SOURCE_HEIGHT;
      const bbox = [round(x * across), round(y * down), round(w * across), round(h * down)] as const;
      annotations.push({
        id: annotations.length + 1,
        image_id: i + 1,
        category_id: kind,
        bbox,
        area: round(bbox[2] * bbox[3]),
        iscrowd: 0,
      });
    }
  }
  await writeFile(join(out, 'instances.json'), JSON.stringify({ images, annotations, categories: CATEGORIES }));
  return annotations.length;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
