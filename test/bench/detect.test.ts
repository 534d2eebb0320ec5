import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import t from 'tap';
import type { DetectedFrame } from '../../bench/detect/trip.js';
import { packageRoot } from '../../platform/root.js';

const run = promisify(execFile);
const program = join(packageRoot(), 'dist', 'bench', 'detect.js');
const bundle = join(packageRoot(), 'test', 'fixtures', 'tiny-bundle');
const folder = await mkdtemp(join(tmpdir(), 'detect-'));
t.teardown(() => rm(folder, { recursive: true }));

for (const [i, name] of ['a.png', 'b.png', 'c.png'].entries()) {
  const data = Uint8Array.from({ length: 48 * 40 * 3 }, (_, at) => (at * (7 + i) * 31) % 251);
  await sharp(data, { raw: { width: 48, height: 40, channels: 3 } })
    .png()
    .toFile(join(folder, name));
}

async function detect(...args: string[]): Promise<{ partition: string; frames: DetectedFrame[] }> {
  const out = join(folder, 'out.json');
  await run(process.execPath, [program, '--bundle', bundle, '--images', folder, '--out', out, ...args]);
  return JSON.parse(await readFile(out, 'utf8'));
}

const rounded = (frames: readonly DetectedFrame[]) =>
  frames.map(({ detections }) => detections.map(({ box, score }) => [...box, 100 * score].map((v) => v.toFixed(2))));

t.test('raw pixels over the link answer as the device does, box for box; planes nearly', async (t) => {
  const raw = await detect('--partition', 'raw');
  const device = await detect('--partition', 'device');
  t.same(
    raw.frames.map(({ name }) => name),
    ['a.png', 'b.png', 'c.png'],
  );
  t.ok(raw.frames.every(({ detections }) => detections.length > 0));
  // the device's runs are those of every processor, the edge's those of this one: the last bits differ
  t.same(rounded(raw.frames), rounded(device.frames));
  t.ok(raw.frames.every(({ bytes }) => bytes === 36 + 32 * 32 * 3));
  t.ok(device.frames.every(({ bytes }) => bytes === 0));
  const planes = await detect('--partition', 'raw', '--yuv');
  t.same(
    planes.frames.map(({ name, width, height, bytes }) => [name, width, height, bytes]),
    raw.frames.map(({ name, width, height, bytes }) => [name, width, height, bytes]),
  );
  t.notSame(rounded(planes.frames), rounded(raw.frames), 'chroma of four pixels is one');
});

t.test('a partition point sends small messages; the list says which images', async (t) => {
  const list = join(folder, 'list.txt');
  await writeFile(list, 'c.png\na.png\n');
  const { partition, frames } = await detect('--list', list, '--rate', '1');
  t.equal(partition, 'input');
  t.same(
    frames.map(({ name, width, height }) => [name, width, height]),
    [
      ['c.png', 48, 40],
      ['a.png', 48, 40],
    ],
  );
  t.ok(frames.every(({ bytes }) => bytes > 36 && bytes < 36 + 8 * 8 * 3));
});

t.test('wrong options end with code 2 and say what there is', async (t) => {
  await t.rejects(detect('--partition', 'nowhere'), { code: 2, stderr: /tiny has input, raw, device/ });
  await t.rejects(detect('--rate', '2'), { code: 2, stderr: /--rate 2: a whole number from 0 to 1\n$/ });
  await t.rejects(run(process.execPath, [program]), { code: 2, stderr: /are needed/ });
  await t.rejects(detect('--bundle', folder), { code: 3, stderr: /holds no manifest\.json/ });
});
