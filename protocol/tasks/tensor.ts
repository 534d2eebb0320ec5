import { ProtocolError } from '../errors.js';
import type { Outputs } from './task.js';

/**
 * One picture's part of an output, after checking that the output has the shape that the manifest promises.
 * @param name of the output
 * @param shape without the batch dimension
 * @returns a view, not a copy
 * @throws ProtocolError `task_outputs`
 */
export function pictureOf(outputs: Outputs, name: string, batchIndex: number, shape: readonly number[]): Float32Array {
  const tensor = Object.hasOwn(outputs, name) ? outputs[name] : undefined;
  if (tensor === undefined) {
    const present = Object.keys(outputs).join(', ');
    throw new ProtocolError('task_outputs', `the model has no output "${name}"; it has ${present}`);
  }
  const { data, dims } = tensor;
  const size = shape.reduce((a, b) => a * b, 1);
  const batch = dims[0];
  const fits =
    data instanceof Float32Array &&
    dims.length === shape.length + 1 &&
    shape.every((n, i) => dims[i + 1] === n) &&
    data.length === batch * size;
  if (!fits) {
    const found = `${data?.constructor?.name} [${dims.join(', ')}]`;
    throw new ProtocolError(
      'task_outputs',
      `output "${name}" is ${found}; expected Float32Array [N, ${shape.join(', ')}]`,
    );
  }
  if (!Number.isInteger(batchIndex) || batchIndex < 0 || batchIndex >= batch) {
    throw new ProtocolError('task_outputs', `picture ${batchIndex} of a batch of ${batch}`);
  }
  return data.subarray(batchIndex * size, (batchIndex + 1) * size);
}
