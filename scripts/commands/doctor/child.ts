/**
 * What may crash, in a process of its own: `runtime` loads ONNX Runtime; `selftest DIR THREADS RUNS COLOURS` runs heads and
 * service of a bundle. One JSON document on standard output.
 */
import { randomInt } from 'node:crypto';
import type { Colours } from '../../../agent/pipeline/colours.js';

/** Answer of `runtime`. */
export interface RuntimeAnswer {
  version: string;
}

/** Answer of `selftest`. */
export interface SelftestAnswer {
  /** Mean ms by point; `device` is the whole service. */
  ms: Record<string, number>;
  /** A frame message of a grey picture, base64, and the session in it. */
  frame: string;
  session: number;
  /** Its partition point. */
  partition: string;
}

const [mode, folder, threads, runs, colours] = process.argv.slice(2);
try {
  const answer =
    mode === 'runtime' ? await runtime() : await selftest(folder, Number(threads), Number(runs), colours as Colours);
  process.stdout.write(`${JSON.stringify(answer)}\n`);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}

async function runtime(): Promise<RuntimeAnswer> {
  const { env } = await import('onnxruntime-node');
  return { version: String(env.versions.node ?? env.versions.common) };
}

/** @param threads 0: all processors @param colours in which the camera gives its pictures */
async function selftest(dir: string, threads: number, runs: number, colours: Colours): Promise<SelftestAnswer> {
  // Here, so that `runtime` loads ONNX Runtime and nothing else.
  const { everyPoint, measureDevice } = await import('../../../agent/partition/measure.js');
  const { FrameEncoder } = await import('../../../agent/pipeline/encode.js');
  const { Heads } = await import('../../../agent/pipeline/head.js');
  const { LocalService } = await import('../../../agent/pipeline/local.js');
  const { openBundle } = await import('../../../platform/bundle.js');
  const { rawBytes } = await import('../../../protocol/manifest.js');
  const bundle = await openBundle(dir);
  const { manifest } = bundle;
  const heads = new Heads(bundle, threads || undefined);
  const service = new LocalService(bundle, threads || undefined);
  try {
    const { mean } = await measureDevice(everyPoint(manifest), heads, service, colours, runs);
    const session = randomInt(2 ** 32);
    const picture = new Uint8Array(rawBytes(manifest)).fill(114);
    const { symbols } = await heads.run(0, 0, picture);
    const info = { frame: 0, sourceWidth: manifest.input.width, sourceHeight: manifest.input.height };
    const message = new FrameEncoder(bundle, session).symbols(0, 0, symbols, info);
    return { ms: mean, frame: Buffer.from(message).toString('base64'), session, partition: manifest.partitions[0].id };
  } finally {
    await Promise.all([heads.close(), service.close()]);
  }
}
