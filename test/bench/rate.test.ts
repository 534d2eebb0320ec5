import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { cached } from '../../bench/rate/cache.js';
import { openDataset } from '../../bench/rate/dataset.js';
import { compress, IMAGE_CODECS } from '../../bench/rate/images.js';
import { median } from '../../bench/rate/measure.js';
import { rateOptions } from '../../bench/rate/options.js';
import { Progress } from '../../bench/rate/progress.js';
import { packageRoot } from '../../platform/root.js';

const folder = await mkdtemp(join(tmpdir(), 'rate-'));
t.teardown(() => rm(folder, { recursive: true }));

/** Slopes and a step: something that every codec can keep. */
const picture = {
  data: Uint8Array.from({ length: 64 * 48 * 3 }, (_, i) => (i % 192) + (i > 5000 ? 60 : 0)),
  width: 64,
  height: 48,
  sourceWidth: 64,
  sourceHeight: 48,
  capturedAt: 0,
  captureMs: 0,
};

for (const [name, codec] of Object.entries(IMAGE_CODECS)) {
  t.test(`${name}: more quality is more bytes and less error; the size stays`, async (t) => {
    const at = async (quality: number) => {
      const { bytes, data } = await compress(codec, quality, picture, () => 0);
      t.equal(data.length, picture.data.length);
      return { bytes, error: data.reduce((sum, v, i) => sum + (v - picture.data[i]) ** 2, 0) / data.length };
    };
    const low = await at(codec.qualities[0]);
    const high = await at(codec.qualities[codec.qualities.length - 1]);
    t.ok(low.bytes < high.bytes, `${low.bytes} < ${high.bytes}`);
    t.ok(high.error < low.error && high.error < 400, `${high.error} < ${low.error}`);
  });
}

t.test('the JPEG is one scan of libjpeg-turbo, 4:2:0', async (t) => {
  const sharp = (await import('sharp')).default;
  const raw = { raw: { width: 64, height: 48, channels: 3 as const } };
  const { chromaSubsampling, isProgressive } = await sharp(
    await IMAGE_CODECS.jpeg.encode(sharp(picture.data, raw), 50).toBuffer(),
  ).metadata();
  t.same({ chromaSubsampling, isProgressive }, { chromaSubsampling: '4:2:0', isProgressive: false });
});

t.test('what was measured is kept, and made again when its key changes', async (t) => {
  let made = 0;
  const get = (key: object) => cached('x', key, async () => ({ made: ++made }), folder);
  const first = await get({ quality: 1 });
  t.same([first.found, first.value.made], [false, 1]);
  t.same(JSON.parse(await readFile(first.file, 'utf8')), { key: { quality: 1 }, value: { made: 1 } });
  const again = await get({ quality: 1 });
  t.same([again.found, again.value.made, again.file], [true, 1, first.file]);
  t.equal((await get({ quality: 2 })).value.made, 2);
  await t.rejects(
    cached('x', 3, () => Promise.reject(new Error('cut')), folder),
    /cut/,
  );
  t.equal((await cached('x', 3, async () => 'whole', folder)).found, false);
});

t.test('a data set is known by its pictures', async (t) => {
  const images = join(folder, 'images');
  const annotations = join(folder, 'instances.json');
  await mkdir(images);
  await writeFile(join(images, 'b.jpg'), 'b');
  await writeFile(join(images, 'a.jpg'), 'a');
  await writeFile(annotations, JSON.stringify({ images: [{ file_name: 'b.jpg' }, { file_name: 'a.jpg' }] }));
  const all = await openDataset(images, annotations);
  t.same(all.names, ['b.jpg', 'a.jpg']);
  t.same((await openDataset(images, annotations, 1)).names, ['b.jpg']);
  await writeFile(join(images, 'a.jpg'), 'A');
  t.not((await openDataset(images, annotations)).id, all.id);
  await rm(join(images, 'a.jpg'));
  await t.rejects(openDataset(images, annotations), { exitCode: 2, message: /a\.jpg: cannot be read/ });
  await writeFile(annotations, '[]');
  await t.rejects(openDataset(images, annotations), { exitCode: 2, message: /not a COCO annotation file/ });
});

t.test('options', async (t) => {
  const service = join(folder, 'some-net-416.onnx');
  await writeFile(service, '');
  const data = ['--images', folder, '--annotations', service];
  const good = rateOptions([...data, '--json', 'a.json', '--methods', 'ours,jpeg', '--partition', 'x']);
  t.match(good, { methods: ['ours', 'jpeg'], partitions: ['x'], quick: false, images: folder });
  const wrong = (args: string[], message: RegExp) =>
    t.throws(() => rateOptions(args), { exitCode: 2, message }, args.join(' '));
  wrong([], /--json FILE/);
  wrong(['--json', 'a.txt'], /ends in \.json/);
  wrong(['--json', 'a.json', '--images', folder], /give both/);
  wrong([...data, '--json', 'a.json', '--methods', 'jpg'], /did you mean "jpeg"/);
  wrong(['--jsn', 'a.json'], /did you mean "json"/);
  wrong(['--json', 'a.json', '--service', service], /say what to measure on/);
  wrong([...data, '--json', 'a.json', '--service', service, '--bundle', folder], /one of the two/);
  wrong([...data, '--json', 'a.json', '--codecs', folder], /are for --service/);
  wrong([...data, '--json', 'a.json', '--service', join(folder, 'no.onnx')], /no such file/);
});

t.test('the default photos, where they are not here: the message names the options', async (t) => {
  const before = process.env.DEEPCOD_DATA;
  process.env.DEEPCOD_DATA = folder;
  t.teardown(() => {
    if (before === undefined) delete process.env.DEEPCOD_DATA;
    else process.env.DEEPCOD_DATA = before;
  });
  t.throws(() => rateOptions(['--json', 'a.json']), { exitCode: 2, message: /--images DIR and --annotations FILE/ });
});

t.test('as a command: exit codes and messages', async (t) => {
  const program = join(packageRoot(), 'dist', 'bench', 'rate.js');
  const run = (...args: string[]) => promisify(execFile)(process.execPath, [program, ...args]);
  await t.rejects(run(), { code: 2, stderr: /--json FILE/ });
  const images = join(folder, 'one');
  const annotations = join(folder, 'one.json');
  await mkdir(images);
  await writeFile(join(images, 'a.jpg'), 'a');
  await writeFile(annotations, JSON.stringify({ images: [{ file_name: 'a.jpg' }] }));
  const data = ['--images', images, '--annotations', annotations, '--json', join(folder, 'out.json')];
  await t.rejects(run(...data, '--bundle', images), { code: 3, stderr: /holds no manifest\.json/ });
  await t.rejects(run(...data, '--partition', 'nowhere'), { code: 2, stderr: /the bundle has input, stage1, stage2/ });
  const unknown = join(folder, 'unknown-net.onnx');
  await writeFile(unknown, '');
  await t.rejects(run(...data, '--service', unknown), { code: 2, stderr: /described are .*yolox-nano/ });
  const known = join(folder, 'yolox-nano-416.onnx');
  await writeFile(known, '');
  await t.rejects(run(...data, '--service', known, '--codecs', images), { code: 2, stderr: /no codecs \(\*\.pt\)/ });
  const tables = ['--service', known, '--methods', 'jpeg', '--pictures', images];
  await t.rejects(run(...data, ...tables), { code: 2, stderr: /a\.jpg is one of the photos to measure on/ });
});

t.test('progress says what is left', async (t) => {
  const lines: string[] = [];
  const progress = new Progress(20, { write: (text: string) => lines.push(text) });
  progress.row('kept', '1 KB', 10);
  progress.begin();
  progress.step('a');
  progress.row('a', '2 KB');
  t.match(lines, ['50% kept: 1 KB (kept)\n', /^55%, \d+ s left, a: 2 KB\n$/]);
});

t.test('median', async (t) => {
  t.equal(median([3, 1, 2]), 2);
  t.equal(median([4, 1, 2, 3]), 2);
});
