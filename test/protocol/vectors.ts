import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../platform/root.js';
import type { Detection, FrameHeader, Manifest } from '../../protocol/index.js';

/** docs/protocol-vectors.json, written by test/fixtures/make_protocol_vectors.py, which shares no code with protocol/. */
export interface Vectors {
  frames: {
    valid: { name: string; hex: string; header: FrameHeader; payload: string }[];
    invalid: { name: string; hex: string; code: string; answerable: boolean }[];
  };
  results: { valid: string[]; invalid: { text: string; code: string }[] };
  letterbox: {
    input: [number, number];
    align: 'top-left' | 'center' | 'stretch';
    source: [number, number];
    content: [number, number];
    offset: [number, number];
    box: [number, number, number, number];
    boxInInput: [number, number, number, number];
  }[];
  detections: {
    input: [number, number];
    source: [number, number];
    classes: string[];
    decode: { type: string };
    outputs: Record<string, { dims: number[]; data: number[] }>;
    detections: Detection[];
  }[];
}

export const vectors = JSON.parse(readFileSync(join(packageRoot(), 'docs/protocol-vectors.json'), 'utf8')) as Vectors;

/** A small manifest that is valid; tests change what they are about. */
export function exampleManifest(): Manifest {
  const file = () => ({ bytes: 1, sha256: '0'.repeat(64) });
  return {
    format: 1,
    service: {
      name: 'example',
      task: 'detect',
      classes: ['head', 'helmet'],
      licence: 'Apache-2.0',
      provenance: 'made by a test',
      model: 'service.onnx',
      flops: 1000,
      decode: { type: 'yolox', strides: [8, 16] },
      score_threshold: 0.3,
      nms_iou: 0.45,
    },
    input: { width: 32, height: 32, letterbox: { align: 'top-left', pad: 114 } },
    partitions: [
      {
        id: 'input',
        head: 'heads/input.onnx',
        tail: 'tails/input.onnx',
        code: { height: 8, width: 8, channels: 4, levels: 8 },
        entropy: 'entropy/input.json',
        rates: [{ payload_bytes_mean: 96 }],
        flops: { prefix: 0, encoder: 1, decoder: 2, remainder: 3 },
      },
    ],
    files: {
      'service.onnx': file(),
      'heads/input.onnx': file(),
      'tails/input.onnx': file(),
      'entropy/input.json': file(),
    },
  };
}
