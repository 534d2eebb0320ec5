import { fitPicture, toSource } from '../../letterbox.js';
import type { Manifest } from '../../manifest.js';
import type { Detection } from '../../result.js';
import type { PostOptions } from '../task.js';
import type { Candidates } from './candidates.js';
import { suppress } from './nms.js';

/** The last steps of every detector: suppression in input pixels, then boxes to source pixels, cut to the picture. */
export function finish(
  candidates: Candidates,
  manifest: Manifest,
  source: { width: number; height: number },
  { iou, limit }: Required<PostOptions>,
): Detection[] {
  const fit = fitPicture(manifest.input, source.width, source.height);
  const { corners, scores, classes } = candidates;
  const detections: Detection[] = [];
  for (const i of suppress(candidates, iou, limit)) {
    const left = corners[4 * i];
    const top = corners[4 * i + 1];
    const box = toSource(fit, [left, top, corners[4 * i + 2] - left, corners[4 * i + 3] - top]);
    // A box that lies in the letterbox's border alone has no place in the picture.
    if (box[2] <= 0 || box[3] <= 0) continue;
    const label = manifest.service.classes[classes[i]];
    detections.push({ class: classes[i], label, score: Math.min(scores[i], 1), box });
  }
  return detections;
}
