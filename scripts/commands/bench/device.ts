import type { CameraOptions, Picture } from '../../../agent/camera/camera.js';
import { coloursOf, openCamera } from '../../../agent/camera/index.js';
import { everyPoint, measureDevice } from '../../../agent/partition/measure.js';
import { FrameEncoder } from '../../../agent/pipeline/encode.js';
import { Heads } from '../../../agent/pipeline/head.js';
import { LocalService } from '../../../agent/pipeline/local.js';
import { Preprocessor } from '../../../agent/pipeline/preprocess.js';
import type { Bundle } from '../../../platform/bundle.js';
import { machine, versions } from '../../../platform/versions.js';
import { boardModel, thisMachine } from '../doctor/environment.js';
import { type Expectation, expectation } from '../doctor/expect.js';

/** What a device reaches. Times in ms. */
export interface BenchReport {
  board?: string;
  machine: ReturnType<typeof machine>;
  versions: Record<string, string>;
  bundle: { id: string; name: string };
  threads?: number;
  runs: number;
  points: { id: string; mean_ms: number; deviation_ms: number }[];
  /** Of the whole service, where figures are published for this board. */
  expected?: Expectation;
  /** One frame of each point, of a simulated work site: symbols in (a byte each), bytes out. */
  coder: { id: string; symbols: number; bytes: number; ms: number; mb_s: number }[];
  camera?: { description: string; fps: number; pictures: number };
}

/** Codings that are timed; the median counts. */
const CODINGS = 31;
const CAMERA_MS = 4000;

/**
 * Measures this device.
 * @param camera in whose colours pictures are given to the models, and whose pictures are counted
 * @param counts whether they are
 * @param say told of progress
 * @throws DeepcodError `model_*`, `inference_*`, `camera_*`
 */
export async function measureBench(
  bundle: Bundle,
  threads: number | undefined,
  runs: number,
  camera: CameraOptions,
  counts: boolean,
  say: (line: string) => void,
): Promise<BenchReport> {
  const { manifest } = bundle;
  const points = everyPoint(manifest);
  const heads = new Heads(bundle, threads);
  const service = new LocalService(bundle, threads);
  const board = await boardModel(thisMachine());
  try {
    say(`measuring ${points.map(({ id }) => id).join(', ')}: ${runs} runs each`);
    const { mean, deviation } = await measureDevice(points, heads, service, coloursOf(camera.source), runs);
    say('measuring the entropy coder');
    const coder = await measureCoder(bundle, heads);
    if (counts) say(`counting pictures of the camera for ${CAMERA_MS / 1000} s`);
    return {
      ...(board && { board }),
      ...{ machine: machine(), versions: versions(), bundle: { id: bundle.id, name: manifest.service.name } },
      ...(threads !== undefined && { threads }),
      runs,
      points: points.map(({ id }) => ({ id, mean_ms: mean[id], deviation_ms: deviation[id] })),
      ...(expectation(board, manifest.service.flops) && { expected: expectation(board, manifest.service.flops) }),
      coder,
      ...(counts && { camera: await countPictures(camera, new Preprocessor(manifest.input)) }),
    };
  } finally {
    await Promise.all([heads.close(), service.close()]);
  }
}

/** Codes one picture of the simulated work site at each point's first rate. */
async function measureCoder(bundle: Bundle, heads: Heads): Promise<BenchReport['coder']> {
  const { manifest } = bundle;
  const preprocessor = new Preprocessor(manifest.input);
  const source = await openCamera({ source: 'simulated', frames: 1 }, preprocessor.fit);
  const taken = (await source.next(new AbortController().signal)) as Picture;
  await source.close();
  let picture: Uint8Array = new Uint8Array(preprocessor.bytes);
  preprocessor.place(taken, picture);
  const encoder = new FrameEncoder(bundle, 0);
  const info = { frame: 0, sourceWidth: taken.sourceWidth, sourceHeight: taken.sourceHeight };
  const rows: BenchReport['coder'] = [];
  for (const [partition, { id }] of manifest.partitions.entries()) {
    const result = await heads.run(partition, 0, picture);
    ({ picture } = result);
    const { symbols } = result;
    const times: number[] = [];
    let bytes = 0;
    for (let i = 0; i < CODINGS; i++) {
      const start = performance.now();
      bytes = encoder.symbols(partition, 0, symbols, info).length;
      times.push(performance.now() - start);
    }
    const ms = times.sort((a, b) => a - b)[CODINGS >> 1];
    rows.push({ id, symbols: symbols.length, bytes, ms, mb_s: symbols.length / 1e3 / ms });
  }
  return rows;
}

async function countPictures(options: CameraOptions, preprocessor: Preprocessor): Promise<BenchReport['camera']> {
  const camera = await openCamera({ ...options, fps: 0 }, preprocessor.fit);
  const signal = AbortSignal.timeout(2 * CAMERA_MS);
  try {
    // The first takes as long as the camera takes to start.
    await camera.next(signal);
    const start = performance.now();
    let pictures = 0;
    while (performance.now() - start < CAMERA_MS && (await camera.next(signal))) pictures++;
    return { description: camera.description, pictures, fps: (pictures / (performance.now() - start)) * 1000 };
  } finally {
    await camera.close();
  }
}

/** The figures for people. */
export function benchTable(report: BenchReport): string {
  const { bundle, board, machine: here, threads, runs, points, expected, coder, camera } = report;
  const with_ = threads === undefined ? `${here.cores} threads` : `${threads} threads`;
  const lines = [`${bundle.name}/${bundle.id} on ${board ?? here.cpu}, ${with_}, ${runs} runs each`, ''];
  lines.push('point             mean ms  deviation');
  for (const { id, mean_ms, deviation_ms } of points) {
    lines.push(`${id.padEnd(14)}${mean_ms.toFixed(2).padStart(11)}${deviation_ms.toFixed(2).padStart(11)}`);
  }
  const service = points.find(({ id }) => id === 'device');
  lines.push('');
  if (expected && service) {
    const place =
      service.mean_ms > expected.most ? 'SLOWER than' : service.mean_ms < expected.least ? 'faster than' : 'within';
    lines.push(
      `device is ${place} the ${expected.least.toFixed(0)} to ${expected.most.toFixed(0)} ms expected of a ${expected.board}`,
    );
    lines.push(`  (${expected.source})`);
  } else lines.push('no times are published for this machine');
  lines.push('', 'entropy coder     symbols      bytes         ms       MB/s');
  for (const { id, symbols, bytes, ms, mb_s } of coder) {
    const cells = [symbols, bytes, ms.toFixed(2), mb_s.toFixed(1)].map((cell) => String(cell).padStart(11));
    lines.push(`${id.padEnd(14)}${cells.join('')}`);
  }
  if (camera) lines.push('', `camera: ${camera.fps.toFixed(1)} pictures a second (${camera.description})`);
  return lines.join('\n');
}
