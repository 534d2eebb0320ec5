export { type InferenceOptions, InferenceWorker, type RunOptions } from './inference-worker.js';
export type { TensorArrays, TensorInfo, TensorType, TensorValue } from './tensor.js';
