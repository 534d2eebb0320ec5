import { readFile } from 'node:fs/promises';
import { type OnnxConstant, readOnnx } from '../../platform/inference/onnx.js';

const sizes: Record<string, number> = {
  uint8: 1,
  int8: 1,
  bool: 1,
  float16: 2,
  int32: 4,
  float32: 4,
  int64: 8,
  float64: 8,
};

/**
 * Bytes of a model's constants, those in files beside it included: it never needs less memory.
 * @throws Error for a file that cannot be read or is no protobuf message
 */
export async function weightBytes(model: string): Promise<number> {
  const { constants } = readOnnx(await readFile(model));
  let bytes = 0;
  for (const { dims, type } of constants.values()) bytes += elements(dims) * (sizes[type] ?? 4);
  return bytes;
}

const elements = (dims: OnnxConstant['dims']): number => dims.reduce((product, dim) => product * dim, 1);
