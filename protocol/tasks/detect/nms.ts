import type { Candidates } from './candidates.js';

/** Candidates that suppression looks at; the best of them. Bounds the work whatever a model says. */
export const MAX_CANDIDATES = 5000;

/**
 * Greedy non-maximum suppression per class: best score first, ties in the order of arrival; a box that overlaps a
 * kept box of its class by more than `iou` goes. Work is at most MAX_CANDIDATES x limit comparisons.
 * @param iou 0..1; 1 keeps all
 * @param limit boxes to keep over all classes
 * @returns indices into the candidates, best first
 */
export function suppress(candidates: Candidates, iou: number, limit: number, maxCandidates = MAX_CANDIDATES): number[] {
  const { scores, classes, corners } = candidates;
  let order = Array.from({ length: candidates.length }, (_, i) => i);
  order.sort((a, b) => scores[b] - scores[a] || a - b);
  if (order.length > maxCandidates) order = order.slice(0, maxCandidates);

  const kept: number[] = [];
  for (const i of order) {
    if (kept.length === limit) break;
    if (!kept.some((k) => classes[k] === classes[i] && overlap(corners, i, k) > iou)) kept.push(i);
  }
  return kept;
}

/** Intersection over union of two boxes given by corners. */
function overlap(corners: Float64Array, a: number, b: number): number {
  const i = 4 * a;
  const j = 4 * b;
  const width = Math.min(corners[i + 2], corners[j + 2]) - Math.max(corners[i], corners[j]);
  const height = Math.min(corners[i + 3], corners[j + 3]) - Math.max(corners[i + 1], corners[j + 1]);
  if (width <= 0 || height <= 0) return 0;
  const both = width * height;
  const areaA = (corners[i + 2] - corners[i]) * (corners[i + 3] - corners[i + 1]);
  const areaB = (corners[j + 2] - corners[j]) * (corners[j + 3] - corners[j + 1]);
  return both / (areaA + areaB - both);
}
