import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import type { Picture } from '../../agent/camera/camera.js';
import { readImage } from '../../agent/camera/replay/images.js';
import { Preprocessor } from '../../agent/pipeline/preprocess.js';
import type { EdgeBundle } from '../../edge/worker/bundles.js';
import { machine, versions } from '../../platform/versions.js';
import type { Detection } from '../../protocol/result.js';
import { processorTime } from '../detect/clock.js';
import { type DetectOptions, openTrip, type Trip } from '../detect/trip.js';
import { cached } from './cache.js';
import { type Dataset, hashFile, hashFolders, sha256 } from './dataset.js';
import { compress, IMAGE_CODECS } from './images.js';
import type { Progress } from './progress.js';

/** How one method did on every picture, in the data set's order. Times are medians of processor time, in milliseconds. */
export interface Measured {
  /** Of the image file, or of the whole frame message. */
  bytes: number[];
  /** From the picture at the service's size to its bytes. */
  encode_ms: number;
  /** From the bytes to what the network at the edge takes: pixels or symbols. */
  decode_ms: number;
  /** The network at the edge: the service, or dequantiser, learned decoder and the rest of the service. */
  network_ms: number;
  detections: Detection[][];
}

const HERE = fileURLToPath(import.meta.url);
const DIST = join(HERE, '..', '..', '..');
/** COCO's own limits: scores below this are left out, and no more boxes than this are kept. */
const SCORE = 0.001;
const LIMIT = 100;
/** Of each model and each image codec. */
const THREADS = 1;
/** Compiled code that decides what a partition point sends and what the edge makes of it, below dist/. */
const RUNTIME = [
  'agent/camera/replay',
  'agent/huffman',
  'agent/pipeline',
  'bench/detect',
  'edge/worker',
  'platform/inference',
  'protocol',
];

type Step = Omit<Measured, 'bytes' | 'detections'> & { bytes: number; detections: Detection[] };

export class Meter {
  readonly #dataset: Dataset;
  readonly #progress: Progress;
  readonly #runtime = Promise.all([hashFolders(RUNTIME.map((folder) => join(DIST, folder))), hashFile(HERE)]);
  /** Times belong to a machine and to versions, and so does the last digit of a score. */
  readonly #where = { machine: { cpu: machine().cpu, arch: machine().arch }, ...versions(), ...sharp.versions };

  constructor(dataset: Dataset, progress: Progress) {
    this.#dataset = dataset;
    this.#progress = progress;
  }

  /** A partition point at a rate; `raw` is the uncompressed service. */
  async coded(bundle: EdgeBundle, partition: string, rate: number, label: string) {
    const key = { bundle: bundle.id, partition, rate, runtime: await this.#runtime };
    return this.#all(label, key, bundle, partition, rate, async (trip, picture, preprocessor, index) => {
      const frame = await trip.frame(index, picture, preprocessor);
      const { bytes, head_ms, encode_ms, decode_ms, tail_ms, detections } = frame;
      return { bytes, encode_ms: head_ms + encode_ms, decode_ms, network_ms: tail_ms, detections };
    });
  }

  /**
   * An image codec before the uncompressed service. The service, and the runtime around it, are known by what they answer
   * to the uncompressed pictures, so that another bundle of the same service finds what was measured before.
   */
  image(bundle: EdgeBundle, uncompressed: Measured, method: string, quality: number, label: string) {
    const codec = IMAGE_CODECS[method];
    const answers = sha256(JSON.stringify(uncompressed.detections));
    const key = { answers, method, quality, code: String(codec.encode) + String(compress) };
    return this.#all(label, key, bundle, 'raw', 0, async (trip, picture, preprocessor, index) => {
      const { bytes, encodeMs, decodeMs, data } = await compress(codec, quality, picture, processorTime);
      const { tail_ms, detections } = await trip.frame(index, { ...picture, data }, preprocessor);
      return { bytes, encode_ms: encodeMs, decode_ms: decodeMs, network_ms: tail_ms, detections };
    });
  }

  async #all(
    label: string,
    key: object,
    bundle: EdgeBundle,
    partition: string,
    rate: number,
    one: (trip: Trip, picture: Picture, preprocessor: Preprocessor, index: number) => Promise<Step>,
  ): Promise<{ measured: Measured; file: string }> {
    const { folder, names, id } = this.#dataset;
    const { manifest } = bundle.bundle;
    const whole = { ...this.#where, dataset: id, input: manifest.input, ...key };
    const options: DetectOptions = {
      partition,
      rate,
      score: SCORE,
      limit: LIMIT,
      iou: manifest.service.nms_iou,
      threads: THREADS,
    };
    const { value, file, found } = await cached(label.replaceAll(/[^\w.]+/g, '-'), whole, async () => {
      const preprocessor = new Preprocessor(manifest.input);
      const trip = await openTrip(bundle, options, processorTime);
      const steps: Step[] = [];
      try {
        this.#progress.begin();
        for (const [index, name] of names.entries()) {
          const picture = await readImage(join(folder, name), preprocessor.fit);
          steps.push(await one(trip, { ...picture, capturedAt: 0, captureMs: 0 }, preprocessor, index));
          this.#progress.step(label);
        }
      } finally {
        await trip.close();
      }
      const middle = (of: 'encode_ms' | 'decode_ms' | 'network_ms') => median(steps.map((step) => step[of]));
      return {
        bytes: steps.map(({ bytes }) => bytes),
        encode_ms: middle('encode_ms'),
        decode_ms: middle('decode_ms'),
        network_ms: middle('network_ms'),
        detections: steps.map(({ detections }) => detections),
      };
    });
    const kb = value.bytes.reduce((sum, bytes) => sum + bytes, 0) / value.bytes.length / 1024;
    this.#progress.row(label, `${kb.toFixed(1)} KB`, found ? names.length : 0);
    return { measured: value, file };
  }
}

/** The lower of the two middle ones where there are two; microseconds. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[(sorted.length - 1) >> 1] * 1000) / 1000;
}
