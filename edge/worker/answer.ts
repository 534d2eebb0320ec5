import type { FrameIdentity } from '../../protocol/frame.js';
import type { EdgeTimes, FrameFailure, FrameFailureCode, FrameResult } from '../../protocol/result.js';
import { postprocess } from '../../protocol/tasks/postprocess.js';
import type { Outputs } from '../../protocol/tasks/task.js';
import type { Job } from './job.js';

/**
 * From a tail's outputs to the answer of one frame.
 * @param index of the frame in the batch
 * @param times all but `post` and `total`, which end here
 * @throws ProtocolError `task_outputs` when the model's outputs are not what the manifest says
 */
export function answerOf(
  job: Job,
  outputs: Outputs,
  index: number,
  worker: string,
  times: Pick<EdgeTimes, 'queue' | 'decode' | 'tail'>,
): FrameResult {
  const { frame, route } = job;
  const start = performance.now();
  const source = { width: frame.sourceWidth, height: frame.sourceHeight };
  const detections = postprocess(outputs, index, route.bundle.manifest, source);
  const end = performance.now();
  return {
    v: 1,
    session: frame.session,
    frame: frame.frame,
    bundle: frame.bundleId,
    partition: route.partition,
    rate: frame.rate,
    worker,
    width: frame.sourceWidth,
    height: frame.sourceHeight,
    detections,
    edge_ms: { ...times, post: end - start, total: end - job.arrivedAt },
  };
}

/** Why a frame has no result, as its device is told. */
export interface Failure {
  code: FrameFailureCode;
  message: string;
  hint?: string;
  /** How long it would have waited, ms. */
  waitMs?: number;
}

/** The answer to a frame that has no result. */
export function failureOf(
  { bundleId, session, frame }: FrameIdentity,
  worker: string,
  { code, message, hint, waitMs }: Failure,
): FrameFailure {
  const error: FrameFailure['error'] = { code, message };
  if (hint !== undefined) error.hint = hint;
  if (waitMs !== undefined) error.wait_ms = Math.round(waitMs);
  return { v: 1, session, frame, bundle: bundleId, worker, error };
}
