import { ProtocolError } from './errors.js';
import { fitPicture, type InputSpec } from './letterbox.js';
import { manifestSchema } from './manifest.schema.js';
import { type DecodeRule, tasks } from './tasks/registry.js';
import { compileSchema, listProblems, show } from './validate.js';

/** Name of the manifest in a bundle's folder. */
export const MANIFEST_FILE = 'manifest.json';
/** Symbols of one frame, at most: bounds memory on both sides. */
export const MAX_CODE_CELLS = 1 << 20;
/** Partition names that stand for something else. */
export const RESERVED_PARTITIONS: readonly string[] = ['raw', 'jpeg', 'device', 'auto'];

/** Accuracy on a named data set. The toolkit may add measures. */
export interface Accuracy {
  dataset: string;
  images: number;
  /** Average precision over IoU 0.50..0.95, 0..1. */
  ap?: number;
  ap50?: number;
  /** Divided by the uncompressed service's. */
  ap_relative?: number;
  ap50_relative?: number;
  [measure: string]: string | number | undefined;
}

/** Shape of the code: height x width positions of `channels` symbols, each 0..levels-1. */
export interface CodeShape {
  height: number;
  width: number;
  channels: number;
  levels: number;
}

/** One quality step of a codec, from the smallest payload to the largest or the other way round. */
export interface Rate {
  payload_bytes_mean: number;
  accuracy?: Accuracy;
}

/** The picture itself as a JPEG file, at one quality. */
export interface PictureRate extends Rate {
  /** Of libjpeg, 1..100. */
  quality: number;
}

export interface Partition {
  id: string;
  head: string;
  /** The same head for the planes of YUV 4:2:0 (docs/cameras.md). */
  head_yuv?: string;
  tail: string;
  code: CodeShape;
  /** Tables of agent/huffman. */
  entropy: string;
  rates: Rate[];
  flops: { prefix: number; encoder: number; decoder: number; remainder: number };
  accuracy?: Accuracy;
  /** How much of the picture a decoder was found to show: mean SSIM, 0..1; docs/privacy.md. */
  reveals?: number;
  licence?: string;
  provenance?: string | Record<string, unknown>;
}

export interface Service {
  name: string;
  task: string;
  classes: string[];
  licence: string;
  provenance: string | Record<string, unknown>;
  /** ONNX file: uint8 picture in, the service's outputs out. */
  model: string;
  /** The same model for the planes of YUV 4:2:0. */
  model_yuv?: string;
  flops: number;
  decode: DecodeRule;
  score_threshold: number;
  nms_iou: number;
}

/** manifest.json of a bundle. */
export interface Manifest {
  format: 1;
  service: Service;
  input: InputSpec;
  partitions: Partition[];
  /** Qualities at which the picture may be sent whole, from the smallest file to the largest. */
  pictures?: PictureRate[];
  device?: { accuracy?: Accuracy };
  accuracy?: Accuracy;
  /** Every file of the bundle but the manifest. */
  files: Record<string, { bytes: number; sha256: string }>;
}

const checkSchema = compileSchema<Manifest>(manifestSchema, MANIFEST_FILE, 'manifest_invalid');

/**
 * Checks a manifest: first its form (JSON Schema), then what a schema cannot say: unique ids, files that are listed,
 * paths that stay inside, sizes that fit the input.
 * @param value parsed JSON
 * @returns the same object, typed
 * @throws ProtocolError `manifest_invalid`, with one line per problem naming the key, the value and what is allowed
 */
export function validateManifest(value: unknown): Manifest {
  const manifest = checkSchema(value);
  const problems: string[] = [];
  const listed = (key: string, file: string): void => {
    if (!Object.hasOwn(manifest.files, file)) problems.push(`${key}: ${show(file)} is not listed in files`);
  };
  const { width, height } = manifest.input;
  const readsYuv = (key: string, file: string | undefined): void => {
    if (file === undefined) return;
    listed(key, file);
    if (width % 2 || height % 2) problems.push(`${key}: the input is ${width}x${height}; YUV 4:2:0 needs even sizes`);
  };

  for (const file of Object.keys(manifest.files)) {
    if (!isBundlePath(file)) {
      problems.push(`files: ${show(file)}; a relative path with / between names, no "..", not ${MANIFEST_FILE}`);
    }
  }
  listed('service.model', manifest.service.model);
  readsYuv('service.model_yuv', manifest.service.model_yuv);

  const seen = new Set<string>();
  for (const [i, partition] of manifest.partitions.entries()) {
    const key = `partitions[${i}]`;
    if (RESERVED_PARTITIONS.includes(partition.id)) {
      problems.push(`${key}.id: ${show(partition.id)} is reserved; reserved are ${RESERVED_PARTITIONS.join(', ')}`);
    }
    if (seen.has(partition.id)) problems.push(`${key}.id: ${show(partition.id)} is there twice; ids are unique`);
    seen.add(partition.id);
    listed(`${key}.head`, partition.head);
    readsYuv(`${key}.head_yuv`, partition.head_yuv);
    listed(`${key}.tail`, partition.tail);
    listed(`${key}.entropy`, partition.entropy);
    const cells = partition.code.height * partition.code.width * partition.code.channels;
    if (cells > MAX_CODE_CELLS) {
      problems.push(`${key}.code: ${cells} symbols (height x width x channels); at most ${MAX_CODE_CELLS}`);
    }
  }
  const { decode } = manifest.service;
  problems.push(...tasks[decode.type].check(decode, manifest.input).map((p) => `service.decode: ${p}`));
  if (problems.length > 0) throw new ProtocolError('manifest_invalid', listProblems(MANIFEST_FILE, problems), problems);
  return manifest;
}

/** A path that stays inside the bundle's folder whatever the operating system: letters, digits, . _ - between /. */
export function isBundlePath(path: string): boolean {
  if (path.length === 0 || path.length > 200 || path === MANIFEST_FILE) return false;
  return path.split('/').every((part) => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(part));
}

/** Bytes of one frame as pixels. */
export function rawBytes(manifest: Manifest): number {
  return manifest.input.width * manifest.input.height * 3;
}

/** Symbols of one frame at a partition point. */
export function codeCells(code: CodeShape): number {
  return code.height * code.width * code.channels;
}

/** Where a source picture lies in this service's input. */
export function fitFor(manifest: Manifest, sourceWidth: number, sourceHeight: number): ReturnType<typeof fitPicture> {
  return fitPicture(manifest.input, sourceWidth, sourceHeight);
}
