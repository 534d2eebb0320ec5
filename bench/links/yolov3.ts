import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { DeepcodError, ExitCode } from '../../platform/errors.js';
import { packageRoot } from '../../platform/root.js';
import { machine, versions } from '../../platform/versions.js';
import { writeAtomically } from '../rate/cache.js';
import { toolkit } from '../rate/toolkit.js';
import type { BaselineRow, Baselines } from './baselines.js';

/** Floating-point operations of YOLOv3 at 416x416, in 10^9: all of it, and up to its 104x104x128 stage. */
const GFLOP = { input: 0, stage1: 8.8, device: 65.9 } as const;
/** Channels at `stage1`, 104x104 in both: YOLOv3's over those of YOLOX-nano. */
const STAGE1_CHANNELS = 128 / 32;
/** What of YOLOv3's rows was never measured on YOLOv3. */
export const ASSUMED = ['parts of the service', "sizes (codecs: YOLOX-nano's; features: 4 times its)", 'accuracy'];
const RUNS = 3;

const timeFile = () => join(packageRoot(), 'docs', 'results', 'links-yolov3-time.json');

/**
 * YOLOv3 in full, from what was measured of YOLOX-nano: the service's parts take their share of the operations, encoders and
 * decoders what they take there, and messages are as large as that network's of the same point, at its accuracy. That a codec
 * trained for YOLOv3 would need no more bytes is assumed. Where features themselves are offloaded at `stage1`, in whatever form, there
 * are four times as many: so are their bytes and the device's work on them; the edge's stays, which favours them. The 52x52 stage is
 * left out: a cut behind it carries skip tensors too.
 * @param wholeMs YOLOv3 on one thread of the machine of `nano`
 * @throws DeepcodError where `nano` lacks the times of a point
 */
export function deriveYolov3(nano: Baselines, wholeMs: number): Baselines {
  const points = Object.keys(GFLOP) as (keyof typeof GFLOP)[];
  for (const point of points) {
    if (point !== 'device' && (nano.device_ms[point] === undefined || nano.edge_ms[point] === undefined)) {
      const reason = `the baselines of ${nano.service} lack times of ${point}`;
      throw new DeepcodError('baselines', reason, undefined, ExitCode.usage);
    }
  }
  const prefix = (point: keyof typeof GFLOP) => (wholeMs * GFLOP[point]) / GFLOP.device;
  const rest = (point: keyof typeof GFLOP) => wholeMs - prefix(point);
  const derive = (row: BaselineRow, point: keyof typeof GFLOP): BaselineRow => {
    // All of it on the device in another form, such as 8 bits: as much faster as that network is.
    if (point === 'device') return { ...row, device_ms: (wholeMs * row.device_ms) / nano.uncompressed.network_ms };
    const grows = point === 'stage1' && row.method.startsWith('offload') ? STAGE1_CHANNELS : 1;
    return {
      ...row,
      kb: row.kb * grows,
      kb_images: row.kb_images?.map((kb) => kb * grows),
      device_ms: prefix(point) + grows * Math.max(0, row.device_ms - nano.device_ms[point]),
      edge_ms: rest(point) + Math.max(0, row.edge_ms - nano.edge_ms[point]),
    };
  };
  return {
    service: 'yolov3',
    machine: nano.machine,
    command: nano.command,
    uncompressed: { ...nano.uncompressed, network_ms: wholeMs },
    device_ms: Object.fromEntries(points.map((point) => [point, prefix(point)])),
    edge_ms: Object.fromEntries(points.map((point) => [point, rest(point)])),
    rows: nano.rows.flatMap((row) => {
      const point = points.find((point) => point === row.partition);
      return point ? [derive(row, point)] : [];
    }),
  };
}

/** What was measured last: milliseconds of YOLOv3 on one thread. @throws DeepcodError where it was never measured */
export async function knownYolov3Ms(): Promise<number> {
  const text = await readFile(timeFile(), 'utf8').catch(() => {
    throw new DeepcodError(
      'yolov3',
      `${timeFile()} is not here: YOLOv3 was not timed yet`,
      'Run it once without --quick.',
      ExitCode.usage,
    );
  });
  return (JSON.parse(text) as { ms: number }).ms;
}

/** Makes YOLOv3 with random weights (once, 250 MB in runs/links), times it on one thread, and notes the time. */
export async function timeYolov3(): Promise<number> {
  const folder = join(packageRoot(), 'runs', 'links');
  const [cfg, onnx] = ['yolov3.cfg', 'yolov3.onnx'].map((name) => join(folder, name));
  await mkdir(folder, { recursive: true });
  if (!existsSync(onnx)) {
    await toolkit('topology', 'yolov3', '--out', cfg);
    await toolkit('import', cfg, '--random-weights', '0', '--out', onnx);
  }
  const session = await ort.InferenceSession.create(onnx, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const picture = new ort.Tensor('float32', new Float32Array(3 * 416 * 416).fill(0.5), [1, 3, 416, 416]);
  const times: number[] = [];
  for (let i = 0; i <= RUNS; i++) {
    // Processor time: on an idle machine the time it takes, and on a busy one it still is.
    const before = process.cpuUsage();
    await session.run({ [session.inputNames[0]]: picture });
    const { user, system } = process.cpuUsage(before);
    if (i > 0) times.push((user + system) / 1000);
  }
  await session.release();
  const ms = Math.round(times.sort((a, b) => a - b)[Math.floor(RUNS / 2)]);
  const facts = {
    gflop: GFLOP.device,
    ms,
    gflop_per_s: Math.round((GFLOP.device / ms) * 1000),
    threads: 1,
    runs: RUNS,
    weights: 'random',
    machine: machine(),
    versions: versions(),
  };
  await writeAtomically(timeFile(), `${JSON.stringify(facts, null, 1)}\n`);
  return ms;
}
