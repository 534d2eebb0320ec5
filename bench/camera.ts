#!/usr/bin/env node
/** `node dist/bench/camera.js`: what it costs to bring a camera's picture into the head's input, by kind of picture. */
import type { Picture } from '../agent/camera/camera.js';
import { layouts } from '../agent/camera/rpicam/arguments.js';
import { rgbOf, yuvBytes } from '../agent/camera/yuv.js';
import { Preprocessor } from '../agent/pipeline/preprocess.js';
import { ExitCode } from '../platform/errors.js';
import { runMain } from '../platform/main.js';
import { numberOption, parseOptions, text } from '../platform/options.js';

const usage = `usage: node dist/bench/camera.js [--frames N]

Milliseconds a frame, median of the main thread, for a 16:9 picture letterboxed into square inputs: YUV straight into the
input, YUV by way of an RGB picture, and RGB copied (what ffmpeg has converted already).

  --frames N  timed frames of each (default: 300)
  --help      this text

Exit codes: 0 done, 1 unexpected, 2 usage.`;

runMain(usage, async (args) => {
  const values = parseOptions(args, { frames: text });
  const frames = numberOption('frames', values.frames, 10, 1e6) ?? 300;
  for (const side of [256, 416, 640]) {
    const preprocessor = new Preprocessor({ width: side, height: side, letterbox: { align: 'center', pad: 114 } });
    const { width, height } = preprocessor.fit(2304, 1296);
    const [yuv] = layouts({ width, height });
    const data = Uint8Array.from({ length: yuvBytes(yuv) }, (_, i) => (i * 31 + (i >> 7)) & 255);
    const size = { width, height, sourceWidth: 2304, sourceHeight: 1296, capturedAt: 0, captureMs: 0 };
    const picture: Picture = { data, yuv, ...size };
    const rgb: Picture = { data: rgbOf(picture), ...size };
    const out = new Uint8Array(preprocessor.bytes);
    const row = {
      straight: median(frames, () => preprocessor.place(picture, out)),
      byRgb: median(frames, () => preprocessor.place({ ...picture, data: rgbOf(picture), yuv: undefined }, out)),
      copied: median(frames, () => preprocessor.place(rgb, out)),
    };
    const shown = Object.entries(row).map(([name, ms]) => `${name} ${ms.toFixed(3)}`);
    process.stdout.write(`${side}x${side}, picture ${width}x${height}: ${shown.join(', ')} ms\n`);
  }
  return ExitCode.ok;
});

function median(frames: number, run: () => void): number {
  const times: number[] = [];
  for (let i = 0; i < frames + 20; i++) {
    const start = performance.now();
    run();
    if (i >= 20) times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[frames >> 1];
}
