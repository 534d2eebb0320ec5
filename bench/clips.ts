/**
 * What coding between frames saves on video: mean bytes per frame against agreement, which is the AP of the detections with
 * those of the uncompressed service on the same frames as truth. Ours, each frame alone (`ours, key frames`) and as the
 * agent sends them (`ours`), motion JPEG, and H.264, whose pictures then go through the service. All
 * frames are coded, every fourth is shown to the service. The toolkit scores (pycocotools) and writes report and page.
 *
 * JSON: {series: [{clip, fps, frames, boxes, rows: [{method, setting, kb, ap, ap50, key_frames}]}], all: [{fps, rows, needed:
 * [{rate, ap, kb: {method: KB}}]}], machine, versions, command, ...}
 */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import sharp from 'sharp';
import type { Picture } from '../agent/camera/camera.js';
import { Decoder, probe } from '../agent/camera/replay/ffmpeg.js';
import { Preprocessor } from '../agent/pipeline/preprocess.js';
import { type EdgeBundle, openEdgeBundle } from '../edge/worker/bundles.js';
import { runMain, usageError } from '../platform/main.js';
import { machine, versions } from '../platform/versions.js';
import type { Detection } from '../protocol/result.js';
import { H264_SETTINGS, h264 } from './clips/h264.js';
import { clipsOptions, usage } from './clips/options.js';
import { ANSWER_MS, ours } from './clips/ours.js';
import { openTrip } from './detect/trip.js';
import { compress, IMAGE_CODECS, oneThread } from './rate/images.js';
import { toolkit } from './rate/toolkit.js';

/** Pictures a second; a clip that was taken at fewer is played at its own rate. */
const FPS = [5, 15];
/** Clips begin so late: their first seconds are empty. */
const START_S = 8;
/** The agent's default. */
const KEY_INTERVAL_S = 10;
const FULL = { frames: 60, every: 4, jpeg: [5, 10, 20, 35, 55, 80], crf: [44, 39, 34, 29, 24, 18] };
const QUICK = { frames: 10, every: 5, jpeg: [10, 50], crf: [40, 26] };

/** One method at one setting over one clip. */
interface Row {
  method: string;
  setting: string;
  bytes: number;
  key_frames?: number;
  detections: Detection[][];
}

/** Pictures of a clip as a camera at this rate gives them, scaled for the input. */
async function clip(path: string, wanted: number, count: number, preprocessor: Preprocessor) {
  const info = await probe(path);
  const fps = Math.min(wanted, info.fps || wanted);
  const { width, height } = preprocessor.fit(info.width, info.height);
  const decoder = new Decoder(path, { width, height }, wanted < info.fps ? wanted : 0);
  const pictures: Picture[] = [];
  const { signal } = new AbortController();
  for (let i = 0; pictures.length < count; i++) {
    const data = await decoder.frame(signal);
    if (!data) break;
    if (i < START_S * fps) continue;
    const source = { sourceWidth: info.width, sourceHeight: info.height };
    pictures.push({ data, width, height, ...source, capturedAt: 0, captureMs: 0 });
  }
  await decoder.close();
  if (pictures.length < 2) throw usageError(`${path}: shorter than ${START_S + 1} seconds`);
  return { pictures, fps, size: { width, height } };
}

async function series(
  path: string,
  wanted: number,
  edge: EdgeBundle,
  partition: number,
  rates: number[],
  plan: typeof FULL,
) {
  const { manifest } = edge.bundle;
  const preprocessor = new Preprocessor(manifest.input);
  const { pictures, fps, size } = await clip(path, wanted, plan.frames, preprocessor);
  const options = { score: 0.001, limit: 100, iou: manifest.service.nms_iou, threads: 1 };
  const service = await openTrip(edge, { partition: 'device', rate: 0, ...options });
  const say = (text: string) => process.stderr.write(`${basename(path)}, ${fps.toFixed(1)} fps: ${text}\n`);
  /** The service's detections in the shown frames, with other pixels. */
  const show = async (frames: readonly Uint8Array[]) => {
    const found: Detection[][] = [];
    for (const [i, data] of frames.entries()) {
      if (i % plan.every !== 0) continue;
      found.push((await service.frame(i, { ...pictures[i], data }, preprocessor)).detections);
    }
    return found;
  };
  const rows: Row[] = [];
  const add = (row: Row) => {
    rows.push(row);
    say(`${row.method}, ${row.setting}: ${(row.bytes / 1024).toFixed(2)} KB`);
  };
  try {
    const truth = (await show(pictures.map(({ data }) => data))).map((frame) =>
      frame.filter(({ score }) => score >= manifest.service.score_threshold),
    );
    for (const rate of rates) {
      const made = await ours(
        edge,
        partition,
        rate,
        { pictures, fps, every: plan.every },
        preprocessor,
        KEY_INTERVAL_S * 1000,
      );
      const setting = `rate ${rate}`;
      add({ method: 'ours, key frames', setting, bytes: made.keyBytes, detections: made.keyDetections });
      const { bytes, keyFrames: key_frames, detections } = made;
      if (edge.routes[partition].decodeInter) add({ method: 'ours', setting, bytes, key_frames, detections });
    }
    for (const quality of plan.jpeg) {
      const coded = [];
      for (const picture of pictures)
        coded.push(await compress(IMAGE_CODECS.jpeg, quality, picture, () => performance.now()));
      const bytes = coded.reduce((sum, { bytes }) => sum + bytes, 0) / coded.length;
      add({
        ...{ method: 'motion JPEG', setting: `quality ${quality}`, bytes },
        detections: await show(coded.map(({ data }) => data)),
      });
    }
    for (const crf of plan.crf) {
      const every = Math.round(KEY_INTERVAL_S * fps);
      const data = pictures.map((picture) => picture.data);
      const coded = await h264(data, size, fps, crf, every);
      add({
        ...{ method: 'H.264', setting: `CRF ${crf}`, bytes: coded.bytes },
        detections: await show(coded.frames),
      });
    }
    const { sourceWidth: width, sourceHeight: height } = pictures[0];
    return { clip: basename(path), wanted, fps, frames: pictures.length, width, height, truth, rows };
  } finally {
    await service.close();
  }
}

runMain(usage, async (args) => {
  const options = clipsOptions(args);
  oneThread();
  const edge = await openEdgeBundle(options.bundle);
  const { partitions } = edge.bundle.manifest;
  const partition = options.partition ? partitions.findIndex(({ id }) => id === options.partition) : 0;
  const point = partitions[partition];
  if (!point) {
    throw usageError(`--partition ${options.partition}: the bundle has ${partitions.map(({ id }) => id).join(', ')}`);
  }
  const rates = options.rates ?? [...point.rates.keys()];
  if (rates.some((rate) => rate >= point.rates.length)) throw usageError(`--rate: 0 to ${point.rates.length - 1}`);
  const plan = options.quick ? QUICK : FULL;
  const files = (await readdir(options.clips)).filter((file) => ['.mp4', '.mkv', '.mov'].includes(extname(file)));
  if (files.length === 0) throw usageError(`--clips ${options.clips}: no .mp4, .mkv or .mov in it`);
  const done = [];
  for (const file of files.sort()) {
    for (const fps of FPS) done.push(await series(join(options.clips, file), fps, edge, partition, rates, plan));
  }
  const facts = {
    quick: options.quick,
    partition: point.id,
    settings: {
      ours: `key frame every ${KEY_INTERVAL_S} s at least, predicted from the last frame answered ${ANSWER_MS} ms ago`,
      'motion JPEG': IMAGE_CODECS.jpeg.settings,
      'H.264': H264_SETTINGS,
    },
    command: options.command,
    machine: machine(),
    versions: { ...versions(), ...sharp.versions },
  };
  const folder = await mkdtemp(join(tmpdir(), 'deepcod-clips-'));
  try {
    const measured = join(folder, 'measured.json');
    const { name: service, id: bundle, bundle: opened } = edge;
    const { classes } = opened.manifest.service;
    await writeFile(measured, JSON.stringify({ service, bundle, classes, facts, series: done }));
    await toolkit('clips', measured, '--json', options.json, ...(options.page ? ['--page', options.page] : []));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return 0;
});
