#!/usr/bin/env node
/** `node dist/bench/camera.js`: what it costs to bring a camera's picture into the head, by kind of picture. */
import type { Picture } from '../agent/camera/camera.js';
import { layouts } from '../agent/camera/rpicam/arguments.js';
import { rgbOf, yuvBytes } from '../agent/camera/yuv.js';
import { pictureBuffers } from '../agent/pipeline/buffers.js';
import { type Colours, pictureBytes } from '../agent/pipeline/colours.js';
import { Heads } from '../agent/pipeline/head.js';
import { LocalService } from '../agent/pipeline/local.js';
import { Preprocessor } from '../agent/pipeline/preprocess.js';
import { type Bundle, openBundle } from '../platform/bundle.js';
import { ExitCode } from '../platform/errors.js';
import { runMain } from '../platform/main.js';
import { numberOption, parseOptions, text } from '../platform/options.js';
import { defaultBundle } from '../platform/root.js';
import { processorTime } from './detect/clock.js';

const usage = `usage: node dist/bench/camera.js [--frames N] [--bundle DIR]

Milliseconds a frame, median of the main thread, for a 16:9 picture letterboxed into square inputs: YUV straight into the
input as RGB, YUV by way of an RGB picture, RGB copied (what ffmpeg has converted already), and planes copied.

Then, for every point of a bundle that reads both: milliseconds of processor time of placing and running, of RGB made of YUV
and of planes; and the median difference of the pairs, which are timed in turn: so it holds on a busy machine too.

  --frames N    timed frames of each (default: 300)
  --bundle DIR  default: the one that comes with this program
  --help        this text

Exit codes: 0 done, 1 unexpected, 2 usage.`;

runMain(usage, async (args) => {
  const values = parseOptions(args, { frames: text, bundle: text });
  const frames = numberOption('frames', values.frames, 10, 1e6) ?? 300;
  for (const side of [256, 416, 640]) {
    const preprocessor = new Preprocessor({ width: side, height: side, letterbox: { align: 'center', pad: 114 } });
    const picture = pictureFor(preprocessor);
    const { width, height } = picture;
    const rgb: Picture = { ...picture, data: rgbOf(picture), yuv: undefined };
    const out = new Uint8Array(preprocessor.bytes);
    const planes = new Uint8Array(pictureBytes(preprocessor.input, 'yuv'));
    const row = {
      straight: median(frames, () => preprocessor.place(picture, out)),
      byRgb: median(frames, () => preprocessor.place({ ...picture, data: rgbOf(picture), yuv: undefined }, out)),
      copied: median(frames, () => preprocessor.place(rgb, out)),
      planes: median(frames, () => preprocessor.place(picture, planes, 'yuv')),
    };
    const shown = Object.entries(row).map(([name, ms]) => `${name} ${ms.toFixed(3)}`);
    process.stdout.write(`${side}x${side}, picture ${width}x${height}: ${shown.join(', ')} ms\n`);
  }
  await runPoints(await openBundle(values.bundle ?? defaultBundle()), frames);
  return ExitCode.ok;
});

/** As a camera of 2304x1296 gives it. */
function pictureFor(preprocessor: Preprocessor): Picture {
  const source = { sourceWidth: 2304, sourceHeight: 1296 };
  const { width, height } = preprocessor.fit(source.sourceWidth, source.sourceHeight);
  const [yuv] = layouts({ width, height });
  const data = Uint8Array.from({ length: yuvBytes(yuv) }, (_, i) => (i * 31 + (i >> 7)) & 255);
  return { data, yuv, width, height, ...source, capturedAt: 0, captureMs: 0 };
}

/** Places and runs a picture both ways, in turn, at every point that can. */
async function runPoints(bundle: Bundle, frames: number): Promise<void> {
  const { input, partitions } = bundle.manifest;
  const preprocessor = new Preprocessor(input);
  const picture = pictureFor(preprocessor);
  const heads = new Heads(bundle, 1);
  const service = new LocalService(bundle, 1);
  const points: [string, Colours, (data: Uint8Array, colours: Colours) => Promise<{ picture: Uint8Array }>][] = [
    ...partitions.map(({ id }, index): (typeof points)[number] => [
      id,
      heads.coloursFor(index, 'yuv'),
      (data, colours) => heads.run(index, 0, data, colours),
    ]),
    ['device', service.coloursFor('yuv'), (data, colours) => service.run(data, input, colours)],
  ];
  try {
    for (const [id, best, run] of points) {
      if (best === 'rgb') {
        process.stdout.write(`${id}: reads RGB alone\n`);
        continue;
      }
      const buffers = pictureBuffers(input);
      const times: Record<Colours, number[]> = { rgb: [], yuv: [] };
      for (let i = -3; i < frames; i++) {
        for (const colours of i % 2 ? (['rgb', 'yuv'] as const) : (['yuv', 'rgb'] as const)) {
          const start = processorTime();
          const data = buffers[colours].take();
          preprocessor.place(picture, data, colours);
          const { picture: back } = await run(data, colours);
          buffers[colours].give(back);
          if (i >= 0) times[colours].push(processorTime() - start);
        }
      }
      const saved = middle(times.rgb.map((ms, i) => ms - times.yuv[i]));
      const shown = `RGB ${middle(times.rgb).toFixed(2)}, planes ${middle(times.yuv).toFixed(2)}, saved ${saved.toFixed(2)}`;
      process.stdout.write(`${id}: ${shown} ms\n`);
    }
  } finally {
    await Promise.all([heads.close(), service.close()]);
  }
}

function median(frames: number, run: () => void): number {
  const times: number[] = [];
  for (let i = 0; i < frames + 20; i++) {
    const start = performance.now();
    run();
    if (i >= 20) times.push(performance.now() - start);
  }
  return middle(times);
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
