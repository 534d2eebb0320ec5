/**
 * Runs a bundle over a folder of images exactly as the runtime does, without a broker between: the cameras' decoder,
 * the agent's letterbox, head and entropy coder, a whole frame message, the edge's intake, decoder, tail and
 * post-processing. What `deepcod evaluate` measures comes from here.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { listImages, readImage } from '../agent/camera/replay/images.js';
import { Preprocessor } from '../agent/pipeline/preprocess.js';
import { openEdgeBundle } from '../edge/worker/bundles.js';
import { DeepcodError, ExitCode } from '../platform/errors.js';
import { runMain, usageError } from '../platform/main.js';
import { flag, numberOption, parseOptions, text } from '../platform/options.js';
import { processorTime } from './detect/clock.js';
import { planesOf } from './detect/planes.js';
import { type DetectedFrame, type DetectOptions, openTrip } from './detect/trip.js';

const usage = `usage: node dist/bench/detect.js --bundle DIR --images DIR --out FILE [options]

Runs a bundle over a folder of images exactly as the runtime does, without a broker between.

  --bundle DIR    the models
  --images DIR    the images
  --out FILE      detections, bytes and times of each image, JSON
  --list FILE     names of the images in DIR, one a line (default: all, sorted)
  --partition ID  a partition point, jpeg or raw (the picture as it is) or device (all of it there; default: the bundle's first)
  --rate N        index of a rate (default: 0)
  --score X       least score of a detection (default: 0.001)
  --limit N       most detections of an image (default: 100)
  --iou X         overlap above which one of two boxes goes (default: the bundle's)
  --threads N     threads inside one run of a model (default: all)
  --yuv           pictures as planes of YUV 4:2:0, as a camera at a CSI port gives them (default: RGB)
  --processor     times are those of the processor, of all threads: with --threads 1 they hold on a busy machine too
  --help          this text

Exit codes: 0 done, 1 unexpected, 2 wrong usage, 3 bundle, 4 no images.`;

const read = (args: string[]) =>
  parseOptions(args, {
    bundle: text,
    images: text,
    list: text,
    out: text,
    partition: text,
    rate: text,
    score: text,
    limit: text,
    iou: text,
    threads: text,
    yuv: flag,
    processor: flag,
  });

async function detect(values: ReturnType<typeof read>): Promise<void> {
  if (!values.bundle || !values.images || !values.out) throw usageError('--bundle, --images and --out are needed');
  const images = values.images;
  const edge = await openEdgeBundle(values.bundle);
  const { manifest } = edge.bundle;
  const known = manifest.partitions.map(({ id }) => id);
  const partition = values.partition ?? known[0] ?? 'raw';
  const all = [...known, ...(manifest.pictures ? ['jpeg'] : []), 'raw', 'device'];
  if (!all.includes(partition)) {
    throw usageError(`--partition ${partition}: bundle ${edge.name} has ${all.join(', ')}`);
  }
  const ofPoint = manifest.partitions.find(({ id }) => id === partition)?.rates;
  const rates = (partition === 'jpeg' ? manifest.pictures : ofPoint)?.length ?? 1;
  const options: DetectOptions = {
    partition,
    rate: numberOption('rate', values.rate, 0, rates - 1) ?? 0,
    score: numberOption('score', values.score, 0, 1, false) ?? 0.001,
    limit: numberOption('limit', values.limit, 1, 1000) ?? 100,
    iou: numberOption('iou', values.iou, 0, 1, false) ?? manifest.service.nms_iou,
    threads: numberOption('threads', values.threads, 1, 256),
  };
  const paths = values.list
    ? (await readFile(values.list, 'utf8'))
        .split('\n')
        .filter((line) => line.trim() !== '')
        .map((line) => join(images, line))
    : await listImages(images);

  const preprocessor = new Preprocessor(manifest.input);
  const trip = await openTrip(edge, options, values.processor ? processorTime : undefined);
  const frames: DetectedFrame[] = [];
  try {
    for (const [number, path] of paths.entries()) {
      const capturedAt = performance.now();
      const image = await readImage(path, preprocessor.fit);
      const captureMs = performance.now() - capturedAt;
      const picture = { ...image, capturedAt, captureMs };
      const frame = await trip.frame(number, values.yuv ? planesOf(picture) : picture, preprocessor);
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

runMain(usage, async (args) => {
  const values = read(args);
  try {
    await detect(values);
    return ExitCode.ok;
  } catch (error) {
    // The toolkit shows the last lines of what is said here: a message is of more use there than a stack.
    if (error instanceof DeepcodError || !(error instanceof Error)) throw error;
    throw new DeepcodError('detect', error.message);
  }
});
