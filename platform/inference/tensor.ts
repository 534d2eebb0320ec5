/** Element types that cross the worker's boundary, with the array each one lives in. float16 is carried as its raw bits. */
export interface TensorArrays {
  uint8: Uint8Array;
  int8: Int8Array;
  bool: Uint8Array;
  int32: Int32Array;
  int64: BigInt64Array;
  float16: Uint16Array;
  float32: Float32Array;
  float64: Float64Array;
}

export type TensorType = keyof TensorArrays;

/** A tensor as plain data: row-major, `dims` all known. */
export interface TensorValue {
  type: TensorType;
  dims: readonly number[];
  data: TensorArrays[TensorType];
}

/** What a model says about one input or output; a dimension that may vary is its name, or '' without one. */
export interface TensorInfo {
  name: string;
  type: string;
  shape: readonly (number | string)[];
}

/** The buffers that can change threads without a copy: those that one of the tensors fills from end to end, each once. */
export function wholeBuffers(tensors: Record<string, TensorValue>): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const { data } of Object.values(tensors)) {
    if (data.buffer instanceof ArrayBuffer && data.byteLength === data.buffer.byteLength) buffers.add(data.buffer);
  }
  return [...buffers];
}

/** The same tensors; those that are a part of a larger buffer get their own, so that no more than they hold is sent. */
export function compact(tensors: Record<string, TensorValue>): Record<string, TensorValue> {
  const result: Record<string, TensorValue> = {};
  for (const [name, tensor] of Object.entries(tensors)) {
    const { data } = tensor;
    const whole = data.byteLength === data.buffer.byteLength;
    const own = () => data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
    const Arrays = (data instanceof Uint8Array ? Uint8Array : data.constructor) as new (
      buffer: ArrayBufferLike,
    ) => typeof data;
    result[name] = whole ? tensor : { ...tensor, data: new Arrays(own()) };
  }
  return result;
}
