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
import { Heads } from '../../agent/pipeline/head.js';
import { Models } from '../../agent/pipeline/models.js';
import { type Bundle, openBundle } from '../../platform/bundle.js';
import { readOnnx, withOutputs } from '../../platform/inference/onnx.js';
import { defaultBundle } from '../../platform/root.js';

/** One output of one run. */
export interface Made {
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

/** The head with its encoder's output as an output too. */
async function values(of: Bundle, head: string, folder: string): Promise<ArrayBufferView> {
  const model = readFileSync(of.file(head));
  const encoder = readOnnx(model).nodes.findLast(({ type }) => type === 'Conv')?.outputs[0] ?? '';
  writeFileSync(join(folder, 'head.onnx'), withOutputs(model, [encoder]));
  const models = new Models(undefined);
  try {
    const worker = await models.get(join(folder, 'head.onnx'));
    const outputs = await worker.run({
      picture: { type: 'uint8', dims: [1, input.height, input.width, 3], data: picture(0) },
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
for (const [index, { id: point, head, rates }] of partitions.entries()) {
  if (points.size > 0 && !points.has(point)) continue;
  const most = Number(points.get(point) ?? rates.length);
  for (let i = 0; i < pictures.length / bytes; i++) {
    for (let rate = 0; rate < most; rate++) {
      const { symbols, alternates } = await heads.run(index, rate, picture(i));
      made.push({ point, what: 'symbols', rate, picture: i, base64: base64(symbols) });
      if (alternates) made.push({ point, what: 'alternates', rate, picture: i, base64: base64(alternates) });
    }
  }
  const data = await values(bundle, head, folder);
  made.push({ point, what: 'values', rate: 0, picture: 0, base64: base64(data) });
}
await heads.close();
rmSync(folder, { recursive: true });
writeFileSync(out, JSON.stringify({ processor: process.arch, made }));
