/** The inside of a bundle's self-test, a process of its own; started by self-test.ts only. Exit code 0: the bundle is good. */
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { type Bundle, openBundle } from '../../platform/bundle.js';
import { readOnnx } from '../../platform/inference/onnx.js';
import { codeCells, type Partition } from '../../protocol/manifest.js';
import { openCoder } from '../huffman/index.js';
import { type Colours, pictureBytes } from '../pipeline/colours.js';
import { Heads } from '../pipeline/head.js';
import { LocalService } from '../pipeline/local.js';
import { testPicture } from './test-picture.js';

const [folder, mode, threads] = process.argv.slice(2);

/** Frames come first, and where memory is short, this process goes: the agent shares its limit. */
function stepBack(): void {
  try {
    setPriority(constants.priority.PRIORITY_LOW);
  } catch {
    // Then at the priority of others.
  }
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Then the kernel chooses.
  }
}

/** RGB, and planes where the bundle has models for those. */
const ways = (best: Colours): Colours[] => (best === 'yuv' ? ['rgb', 'yuv'] : ['rgb']);

/** The colours of planes are odd ones here; a model that works gives symbols all the same. */
function picture({ manifest: { input } }: Bundle, colours: Colours): Uint8Array {
  return testPicture(input).slice(0, pictureBytes(input, colours));
}

async function checkHead(bundle: Bundle, heads: Heads, index: number): Promise<void> {
  const partition = bundle.manifest.partitions[index];
  const { code, id, rates } = partition;
  const coder = openCoder(JSON.parse(await readFile(bundle.file(partition.entropy), 'utf8')), code);
  const coded = new Uint8Array(coder.maxBytes);
  const decoded = new Uint8Array(codeCells(code));
  const runs = [...rates.keys()].flatMap((rate) =>
    ways(heads.coloursFor(index, 'yuv')).map((colours) => ({ rate, colours })),
  );
  for (const { rate, colours } of runs) {
    const { symbols } = await heads.run(index, rate, picture(bundle, colours), colours);
    if (!(symbols instanceof Uint8Array) || symbols.length !== codeCells(code)) {
      throw new Error(`${id}: the head gives ${symbols?.length} symbols; the manifest says ${codeCells(code)}`);
    }
    const odd = symbols.find((symbol) => symbol >= code.levels);
    if (odd !== undefined) throw new Error(`${id}: symbol ${odd}; there are ${code.levels} centres`);
    const length = coder.encode(symbols, rate, coded);
    coder.decode(coded.subarray(0, length), rate, decoded);
    if (Buffer.compare(symbols, decoded) !== 0) throw new Error(`${id}: symbols do not survive their coding`);
  }
}

/** The tail is not loaded: it is the edge's, and may be too large for this device. */
async function checkTail(bundle: Bundle, { id, tail, code }: Partition): Promise<void> {
  const input = readOnnx(await readFile(bundle.file(tail))).inputs.find(({ name }) => name === 'symbols');
  const wanted = [code.height, code.width, code.channels];
  const fits = input?.type === 'uint8' && input.dims.length === 4;
  if (!fits || wanted.some((size, i) => ![size, 0].includes(input.dims[i + 1]))) {
    const found = input ? `${input.type} ${input.dims.join(' x ')}` : 'nothing';
    throw new Error(`${id}: the tail takes ${found}; the head gives uint8 ${wanted.join(' x ')}`);
  }
}

async function check(bundle: Bundle): Promise<void> {
  const { manifest } = bundle;
  const heads = new Heads(bundle, Number(threads));
  const service = new LocalService(bundle, Number(threads));
  try {
    for (const [index, partition] of manifest.partitions.entries()) {
      await checkHead(bundle, heads, index);
      await checkTail(bundle, partition);
    }
    if (mode !== 'alone') return;
    for (const colours of ways(service.coloursFor('yuv'))) {
      await service.run(picture(bundle, colours), manifest.input, colours);
    }
  } finally {
    // Open threads would keep this process.
    await heads.close();
    await service.close();
  }
}

try {
  stepBack();
  await check(await openBundle(folder));
} catch (error) {
  process.stdout.write(`\n${(error as Error).message.replaceAll('\n', ' ')}\n`);
  process.exitCode = 1;
}
