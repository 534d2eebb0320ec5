/**
 * What the default bundle's heads make of pictures on this processor, for compare.js:
 *
 *   node dist/test/arm/symbols.js PICTURES OUT [POINT:RATES ...]
 *
 * Symbols and alternates at every rate of every point, or at the first RATES of the points named; and of the first picture what
 * comes out of each encoder, before it is rounded to symbols: there any other order of adding shows.
 */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Colours, pictureBytes, pictureTensor } from '../../agent/pipeline/colours.js';
import { Heads } from '../../agent/pipeline/head.js';
import { Models } from '../../agent/pipeline/models.js';
import { type Bundle, openBundle } from '../../platform/bundle.js';
import { readOnnx, withOutputs } from '../../platform/inference/onnx.js';
import { defaultBundle } from '../../platform/root.js';
import type { Partition } from '../../protocol/manifest.js';

/** One output of one run. */
export interface Made {
  /** With ` (yuv)` for the head that reads planes. */
  point: string;
  /** `values` are float32, little-endian; the others bytes. */
  what: 'symbols' | 'alternates' | 'values';
  rate: number;
  picture: number;
  base64: string;
}

const [picturesFile, out, ...wanted] = process.argv.slice(2);
const bundle = await openBundle(defaultBundle());
const { input, partitions } = bundle.manifest;
const bytes = input.width * input.height * 3;
const pictures = readFileSync(picturesFile);
const base64 = (data: ArrayBufferView) => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
const picture = (index: number) => new Uint8Array(pictures.subarray(index * bytes, (index + 1) * bytes));

/** The pictures' bytes taken for planes: odd colours, and all of them. */
const asRead = (index: number, colours: Colours) => picture(index).slice(0, pictureBytes(input, colours));

/** What comes out of a head's encoder; the head that reads planes has it under the same name. */
async function values(of: Bundle, partition: Partition, colours: Colours, folder: string): Promise<ArrayBufferView> {
  const { head, head_yuv } = partition;
  const encoder = readOnnx(readFileSync(of.file(head))).nodes.findLast(({ type }) => type === 'Conv')?.outputs[0] ?? '';
  const model = readFileSync(of.file((colours === 'yuv' && head_yuv) || head));
  writeFileSync(join(folder, 'head.onnx'), withOutputs(model, [encoder]));
  const models = new Models(undefined);
  try {
    const worker = await models.get(join(folder, 'head.onnx'));
    const outputs = await worker.run({
      picture: pictureTensor(input, colours, asRead(0, colours)),
      rate: { type: 'int64', dims: [1], data: BigInt64Array.of(0n) },
    });
    return outputs[encoder].data as Float32Array;
  } finally {
    await models.close();
  }
}

const points = new Map(wanted.map((word) => word.split(':') as [string, string]));
const made: Made[] = [];
const folder = mkdtempSync(join(tmpdir(), 'deepcod-arm-'));
copyFileSync(bundle.file('weights.bin'), join(folder, 'weights.bin'));
const heads = new Heads(bundle, undefined);
for (const [index, partition] of partitions.entries()) {
  const { id: point, rates } = partition;
  if (points.size > 0 && !points.has(point)) continue;
  const most = Number(points.get(point) ?? rates.length);
  for (let i = 0; i < pictures.length / bytes; i++) {
    for (let rate = 0; rate < most; rate++) {
      const { symbols, alternates } = await heads.run(index, rate, picture(i));
      made.push({ point, what: 'symbols', rate, picture: i, base64: base64(symbols) });
      if (alternates) made.push({ point, what: 'alternates', rate, picture: i, base64: base64(alternates) });
    }
  }
  const data = await values(bundle, partition, 'rgb', folder);
  made.push({ point, what: 'values', rate: 0, picture: 0, base64: base64(data) });
  if (heads.coloursFor(index, 'yuv') === 'rgb') continue;
  const ofPlanes = { point: `${point} (yuv)`, rate: 0, picture: 0 };
  const { symbols } = await heads.run(index, 0, asRead(0, 'yuv'), 'yuv');
  made.push({ ...ofPlanes, what: 'symbols', base64: base64(symbols) });
  made.push({ ...ofPlanes, what: 'values', base64: base64(await values(bundle, partition, 'yuv', folder)) });
}
await heads.close();
rmSync(folder, { recursive: true });
writeFileSync(out, JSON.stringify({ processor: process.arch, made }));
