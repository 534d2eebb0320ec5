import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import type { Picture } from '../../agent/camera/camera.js';
import { Preprocessor } from '../../agent/pipeline/preprocess.js';
import { h264 } from '../../bench/clips/h264.js';
import { clipsOptions } from '../../bench/clips/options.js';
import { ours } from '../../bench/clips/ours.js';
import { openEdgeBundle } from '../../edge/worker/bundles.js';
import { packageRoot } from '../../platform/root.js';

const size = { width: 32, height: 24 };

/** A still ground on which a patch moves. */
function pictures(count: number): Picture[] {
  return Array.from({ length: count }, (_, frame) => {
    const data = new Uint8Array(size.width * size.height * 3);
    for (let i = 0; i < data.length; i++) {
      const [x, y] = [Math.floor(i / 3) % size.width, Math.floor(i / 3 / size.width)];
      const moving = Math.abs(x - 2 * frame) < 4 && Math.abs(y - 12) < 4;
      data[i] = moving ? 230 : ((x >> 3) * 41 + (y >> 3) * 67 + (i % 3) * 31) % 220;
    }
    return { data, ...size, sourceWidth: 64, sourceHeight: 48, capturedAt: 0, captureMs: 0 };
  });
}

t.test(
  'frames through agent and edge: predicted ones are smaller, and a slow answer means an older reference',
  async (t) => {
    const edge = await openEdgeBundle(join(packageRoot(), 'test/fixtures/tiny-context-bundle'));
    const preprocessor = new Preprocessor(edge.bundle.manifest.input);
    const run = (fps: number, keyMs: number) =>
      ours(edge, 0, 1, { pictures: pictures(12), fps, every: 4 }, preprocessor, keyMs);
    const slow = await run(5, 10_000);
    t.equal(slow.keyFrames, 1);
    t.equal(slow.detections.length, 3);
    t.ok(slow.bytes < slow.keyBytes);
    const fast = await run(15, 10_000);
    t.equal(fast.keyFrames, 2, 'the second frame comes before the first is answered');
    t.ok(fast.bytes > slow.bytes);
    t.equal(fast.keyBytes, slow.keyBytes);
    t.equal((await run(5, 0)).bytes, slow.keyBytes, 'key frames alone');
  },
);

const noEncoder = !/libx264/.test(
  spawnSync('ffmpeg', ['-hide_banner', '-encoders'], { encoding: 'utf8' }).stdout ?? '',
);
t.test('H.264 gives the pictures again, odd sides too', { skip: noEncoder && 'no ffmpeg with libx264' }, async (t) => {
  const odd = { width: 31, height: 23 };
  const cut = (data: Uint8Array) =>
    Uint8Array.from({ length: odd.width * odd.height * 3 }, (_, i) => {
      const row = Math.floor(i / (odd.width * 3));
      return data[row * size.width * 3 + (i % (odd.width * 3))];
    });
  const frames = pictures(8).map(({ data }) => cut(data));
  const error = async (crf: number) => {
    const { bytes, frames: back } = await h264(frames, odd, 5, crf, 50);
    t.equal(back.length, frames.length);
    const sum = back.reduce((all, frame, k) => all + frame.reduce((e, v, i) => e + Math.abs(v - frames[k][i]), 0), 0);
    return { bytes, error: sum / (frames.length * frames[0].length) };
  };
  const [good, bad] = [await error(10), await error(45)];
  t.ok(good.error < 12 && good.error < bad.error, `${good.error}, ${bad.error}`);
  t.ok(good.bytes > bad.bytes);
});

t.test('options that make no sense', async (t) => {
  t.throws(() => clipsOptions([]), { exitCode: 2, message: /--json/ });
  t.throws(() => clipsOptions(['--json', 'a.json', '--clips', '/nowhere']), { exitCode: 2, message: /--clips/ });
  t.throws(() => clipsOptions(['--json', 'a.json', '--clips', '.', '--rate', 'x']), {
    exitCode: 2,
    message: /--rate x/,
  });
});
