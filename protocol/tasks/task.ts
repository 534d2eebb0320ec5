import type { InputSpec } from '../letterbox.js';
import type { Manifest } from '../manifest.js';
import type { Detection } from '../result.js';
import type { Schema } from '../validate.js';

/** One output of a service. */
export interface Tensor {
  data: Float32Array;
  dims: readonly number[];
}

/** Outputs of a service or a tail by name; the first dimension is the batch. */
export type Outputs = Record<string, Tensor>;

export interface PostOptions {
  /** Detections below are left out; default: the manifest's `service.score_threshold`. */
  score?: number;
  /** Boxes of one class that overlap more are one object; default: the manifest's `service.nms_iou`. */
  iou?: number;
  /** Detections of one picture, at most; 1..1000, default 100. */
  limit?: number;
}

/** What a service's outputs mean. One file per rule, one line in the registry. */
export interface Task {
  /** `service.task` of the manifests it serves. */
  readonly task: string;
  /** JSON Schema of `service.decode`, with `type` as a constant. */
  readonly schema: Schema;
  /** What the schema cannot say; one line per problem. */
  check(decode: unknown, input: InputSpec): string[];
  /**
   * @param outputs of the service or a tail
   * @param batchIndex which picture of the batch
   * @param source size of the source picture, pixels
   * @throws ProtocolError `task_outputs` when outputs are missing or have another shape than the manifest says
   */
  postprocess(
    outputs: Outputs,
    batchIndex: number,
    manifest: Manifest,
    source: { width: number; height: number },
    options: Required<PostOptions>,
  ): Detection[];
}
