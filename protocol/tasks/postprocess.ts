import type { Manifest } from '../manifest.js';
import type { Detection } from '../result.js';
import { tasks } from './registry.js';
import type { Outputs, PostOptions } from './task.js';

/**
 * From a service's outputs to detections in source pixels, best first.
 * @param outputs of service.onnx or of a tail, by name
 * @param batchIndex which picture of the batch
 * @param manifest validated
 * @param source size of the source picture, pixels
 * @throws ProtocolError `task_outputs`
 */
export function postprocess(
  outputs: Outputs,
  batchIndex: number,
  manifest: Manifest,
  source: { width: number; height: number },
  options: PostOptions = {},
): Detection[] {
  return tasks[manifest.service.decode.type].postprocess(outputs, batchIndex, manifest, source, {
    score: options.score ?? manifest.service.score_threshold,
    iou: options.iou ?? manifest.service.nms_iou,
    limit: Math.min(Math.max(1, Math.floor(options.limit ?? 100)), 1000),
  });
}
