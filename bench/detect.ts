/**
 * Runs a bundle over a folder of images exactly as the runtime does, without a broker between: the cameras' decoder,
 * the agent's letterbox, head and entropy coder, a whole frame message, the edge's intake, decoder, tail and
 * post-processing. What `deepcod evaluate` measures comes from here.
 *
 *     node dist/bench/detect.js --bundle DIR --images DIR --out FILE [--list FILE] [--partition ID|raw|device]
 *         [--rate N] [--score 0.001] [--limit 100] [--iou X] [--threads N]
 *
 * --list: names of the images, one a line (default: all, sorted). --partition: default the manifest's first.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { listImages, readImage } from '../agent/camera/replay/images.js';
import { Preprocessor } from '../agent/pipeline/preprocess.js';
import { openEdgeBundle } from '../edge/worker/bundles.js';
import { DeepcodError, ExitCode } from '../platform/errors.js';
import { type DetectedFrame, type DetectOptions, openTrip } from './detect/trip.js';

const usage = (message: string): DeepcodError =>
  new DeepcodError('usage', message, 'The options stand at the top of bench/detect.ts.', ExitCode.usage);

function number(name: string, text: string, low: number, high: number): number {
  const value = Number(text);
  if (!(value >= low && value <= high)) throw usage(`--${name} ${text}: a number ${low}..${high}`);
  return value;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      bundle: { type: 'string' },
      images: { type: 'string' },
      list: { type: 'string' },
      out: { type: 'string' },
      partition: { type: 'string' },
      rate: { type: 'string', default: '0' },
      score: { type: 'string', default: '0.001' },
      limit: { type: 'string', default: '100' },
      iou: { type: 'string' },
      threads: { type: 'string' },
    },
  });
  if (!values.bundle || !values.images || !values.out) throw usage('--bundle, --images and --out are needed');
  const images = values.images;
  const edge = await openEdgeBundle(values.bundle);
  const { manifest } = edge.bundle;
  const known = manifest.partitions.map(({ id }) => id);
  const partition = values.partition ?? known[0] ?? 'raw';
  if (![...known, 'raw', 'device'].includes(partition)) {
    throw usage(`--partition ${partition}: bundle ${edge.name} has ${[...known, 'raw', 'device'].join(', ')}`);
  }
  const rates = manifest.partitions.find(({ id }) => id === partition)?.rates.length ?? 1;
  const options: DetectOptions = {
    partition,
    rate: number('rate', values.rate, 0, rates - 1),
    score: number('score', values.score, 0, 1),
    limit: number('limit', values.limit, 1, 1000),
    iou: values.iou === undefined ? manifest.service.nms_iou : number('iou', values.iou, 0, 1),
    threads: values.threads === undefined ? undefined : number('threads', values.threads, 1, 256),
  };
  const paths = values.list
    ? (await readFile(values.list, 'utf8'))
        .split('\n')
        .filter((line) => line.trim() !== '')
        .map((line) => join(images, line))
    : await listImages(images);

  const preprocessor = new Preprocessor(manifest.input);
  const trip = await openTrip(edge, options);
  const frames: DetectedFrame[] = [];
  try {
    for (const [number, path] of paths.entries()) {
      const capturedAt = performance.now();
      const picture = await readImage(path, preprocessor.fit);
      const captureMs = performance.now() - capturedAt;
      const frame = await trip.frame(number, { ...picture, capturedAt, captureMs }, preprocessor);
      frames.push({ name: relative(images, path), ...frame });
      if (process.stderr.isTTY)
        process.stderr.write(`\r${partition} rate ${options.rate}: ${number + 1}/${paths.length}`);
    }
  } finally {
    await trip.close();
  }
  if (process.stderr.isTTY) process.stderr.write('\n');
  await writeFile(values.out, JSON.stringify({ bundle: edge.id, service: edge.name, ...options, frames }));
}

main().catch((error: unknown) => {
  if (!(error instanceof DeepcodError)) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(ExitCode.unexpected);
  }
  console.error(error.message);
  if (error.hint) console.error(error.hint);
  process.exit(error.exitCode);
});
