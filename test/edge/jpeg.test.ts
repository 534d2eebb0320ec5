import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import t, { type Test } from 'tap';
import { encodeJpeg } from '../../agent/pipeline/jpeg.js';
import { openEdgeBundle } from '../../edge/worker/bundles.js';
import { decodeJpeg, JpegError } from '../../edge/worker/jpeg.js';
import { EdgeWorker } from '../../edge/worker/worker.js';
import { silentLog } from '../../platform/log.js';
import { Coding, encodeFrame, PARTITION_RAW, parseResult, type ResultMessage, Topics } from '../../protocol/index.js';
import { fitPicture, type InputSpec } from '../../protocol/letterbox.js';
import { bundleCopy, expected, header, tinyBundle, until } from './harness.js';

const SIZE = { width: 32, height: 32 };
const INPUT: InputSpec = { ...SIZE, letterbox: { align: 'center', pad: 114 } };
const SQUARE = { sourceWidth: 64, sourceHeight: 64 };
const WHOLE = { ...SIZE, offsetX: 0, offsetY: 0 };
/** Where the pictures of the harness lie in the input of the tiny bundle. */
const fitOf = () => fitPicture(INPUT, ...expected[0].source);
const pixelsOf = (index: number) => Buffer.from(expected[index].picture, 'hex');

/** The tiny bundle, which takes JPEG files too. */
async function bundleWithPictures(t: Test): Promise<string> {
  const folder = await bundleCopy(t);
  const file = join(folder, 'manifest.json');
  const manifest = JSON.parse(await readFile(file, 'utf8'));
  manifest.pictures = [75, 95].map((quality) => ({ quality, payload_bytes_mean: 1000 }));
  await writeFile(file, JSON.stringify(manifest));
  return folder;
}

async function worker(t: Test, folder: string) {
  const bundle = await openEdgeBundle(folder);
  const sent: ResultMessage[] = [];
  const made = new EdgeWorker(
    {
      name: 'edge-t',
      topics: new Topics(),
      bundles: new Map([[bundle.id, bundle]]),
      inference: { provider: 'cpu', threads: 1, maxLoaded: 4, maxBytes: 1e9, batch: 8, parallel: 1 },
      queue: { depth: 8, devices: 100, bytes: 1e6, maxAgeMs: 60_000 },
      referenceBytes: 1e6,
      publish: (_to, text) => sent.push(parseResult(Buffer.from(text))) > 0,
    },
    silentLog,
  );
  t.teardown(() => made.close());
  const send = (frame: number, payload: Uint8Array, change = {}) => {
    const fields = { coding: Coding.jpeg, partition: PARTITION_RAW, bundleId: bundle.id, ...change };
    made.handle('deepcod/cam/frame', encodeFrame(header(frame, fields), payload));
  };
  const answers = async (n: number) => {
    await until(() => sent.length >= n, `${n} answers`);
    return sent;
  };
  return { made, send, answers };
}

t.test('a picture comes back as it went, but for what JPEG leaves out', async (t) => {
  const pixels = pixelsOf(0);
  const back = await decodeJpeg(await encodeJpeg(pixels, SIZE, WHOLE, 100), INPUT, SQUARE);
  t.equal(back.length, pixels.length);
  const off = pixels.reduce((sum, value, i) => sum + Math.abs(value - back[i]), 0) / pixels.length;
  t.ok(off < 24, `off by ${off} of 255 on the mean, noise with a quarter of the colours`);
  const small = await encodeJpeg(pixels, SIZE, WHOLE, 30);
  t.ok(small.length < (await encodeJpeg(pixels, SIZE, WHOLE, 95)).length, 'a lower quality is shorter');
});

t.test('the border is not sent: a wide picture comes back in its place', async (t) => {
  const source = { sourceWidth: 640, sourceHeight: 320 };
  const fit = fitPicture(INPUT, 640, 320);
  t.match(fit, { width: 32, height: 16, offsetX: 0, offsetY: 8 });
  const input = new Uint8Array(32 * 32 * 3).fill(114);
  input.fill(200, 8 * 32 * 3, 24 * 32 * 3);
  const file = await encodeJpeg(input, SIZE, fit, 90);
  t.match(await sharp(file).metadata(), { width: 32, height: 16 });
  t.same(await decodeJpeg(file, INPUT, source), input, 'flat pictures lose nothing');
  await t.rejects(decodeJpeg(file, INPUT, SQUARE), /a picture of 32x16; this camera's is 32x32/);
});

t.test('grey files are read; what is no picture of the right size is refused', async (t) => {
  const image = sharp(pixelsOf(0), { raw: { ...SIZE, channels: 3 } });
  t.equal((await decodeJpeg(await image.clone().greyscale().jpeg().toBuffer(), INPUT, SQUARE)).length, 32 * 32 * 3);
  const file = await image.clone().jpeg().toBuffer();
  const bomb = await sharp({ create: { width: 8000, height: 8000, channels: 3, background: 'red' } })
    .jpeg()
    .toBuffer();
  const refused: [string, Uint8Array][] = [
    ['nothing', new Uint8Array(0)],
    ['PNG', await image.clone().png().toBuffer()],
    ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32"/>')],
    ['half a file', file.subarray(0, file.length >> 1)],
    ['a smaller picture', await image.clone().resize(16, 16).jpeg().toBuffer()],
    ['64 million pixels', bomb],
    ['only its first bytes', Buffer.from([0xff, 0xd8, 0xff, 0xe0])],
  ];
  for (const [name, bytes] of refused) await t.rejects(decodeJpeg(bytes, INPUT, SQUARE), JpegError, name);
});

t.test('whatever bits are turned, it is a picture or a JpegError', async (t) => {
  const file = await encodeJpeg(pixelsOf(0), SIZE, WHOLE, 75);
  let read = 0;
  let seed = 1;
  const random = (below: number) => {
    seed = (seed * 48271) % 2147483647;
    return seed % below;
  };
  for (let i = 0; i < 400; i++) {
    const bytes = Buffer.from(file);
    for (let k = 0; k <= i % 4; k++) bytes[random(bytes.length)] ^= 1 << random(8);
    try {
      const pixels = await decodeJpeg(bytes, INPUT, SQUARE);
      if (pixels.length !== 32 * 32 * 3) t.fail(`${pixels.length} bytes came out`);
      read++;
    } catch (error) {
      if (!(error instanceof JpegError)) throw error;
    }
  }
  t.ok(read > 0 && read < 400, `${read} of 400 could be read all the same`);
});

t.test('the edge answers JPEG files like pixels, one bad file of a batch alone is refused', async (t) => {
  const { send, answers, made } = await worker(t, await bundleWithPictures(t));
  send(1, await encodeJpeg(pixelsOf(0), SIZE, fitOf(), 100), { rate: 1 });
  send(2, Buffer.from('no picture at all'));
  send(3, pixelsOf(0), { coding: Coding.raw });
  const found = new Map((await answers(3)).map((answer) => [answer.frame, answer]));
  t.match(found.get(1), { partition: 'jpeg', rate: 1, detections: Array });
  t.match(found.get(2), { error: { code: 'bad_payload', message: /no JPEG file/ } });
  t.match(found.get(3), { partition: 'raw', rate: 0 });
  t.match(made.stats(), { results: 2, drops: { bad_payload: 1 } });
  send(4, Buffer.from('x'), { rate: 2 });
  t.match((await answers(4))[3], { error: { code: 'unknown_rate', message: /jpeg has 0..1/ } });
});

t.test('a bundle without qualities takes no JPEG files', async (t) => {
  const { send, answers } = await worker(t, tinyBundle);
  send(1, await encodeJpeg(pixelsOf(0), SIZE, fitOf(), 75));
  t.match((await answers(1))[0], { error: { code: 'unsupported_coding' } });
});
