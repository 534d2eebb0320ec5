import { DeepcodError } from '../../platform/errors.js';
import type { Detection } from '../../protocol/result.js';
import { contains, polygonFault } from './geometry.js';
import type { Place, PlaceSettings, Point } from './types.js';

/** Zones and masks of one camera, at most. */
export const PLACES = 64;

/** A detection, and where it is. */
export type PlacedDetection = Detection & {
  /** Names of the zones that it is in. */
  zones?: readonly string[];
  /** It lies in a mask: it counts for nothing. */
  masked?: true;
};

/**
 * Tells of each detection which zones it is in, and whether a mask hides it.
 * @param places of its camera
 * @param size of the picture that the boxes are in, pixels
 */
export function placeDetections(
  detections: readonly Detection[],
  places: readonly Place[],
  size: { width: number; height: number },
): readonly PlacedDetection[] {
  if (places.length === 0) return detections;
  return detections.map((detection) => {
    const lies = places.filter(({ points, anchor }) => contains(points, anchorOf(detection, anchor, size)));
    if (lies.some(({ kind }) => kind === 'mask')) return { ...detection, masked: true };
    return lies.length === 0 ? detection : { ...detection, zones: lies.map(({ name }) => name) };
  });
}

/** @throws DeepcodError `zone_invalid` */
export function checkPlace({ points, name, camera, kind }: PlaceSettings, others: readonly Place[]): void {
  const fault = polygonFault(points);
  if (fault !== undefined) {
    throw new DeepcodError('zone_invalid', `the ${kind} "${name}": ${fault}`, 'Draw it again, without crossing lines.');
  }
  const same = others.filter((other) => other.camera === camera);
  if (same.some((other) => other.name === name)) {
    throw new DeepcodError('zone_exists', `${camera} has a zone or mask "${name}" already`, 'Take another name.');
  }
  if (same.length >= PLACES) {
    throw new DeepcodError('zones_full', `${camera} has ${PLACES} zones and masks already`, 'Remove one.');
  }
}

function anchorOf({ box }: Detection, anchor: Place['anchor'], size: { width: number; height: number }): Point {
  const [x, y, width, height] = box;
  return [within((x + width / 2) / size.width), within((y + (anchor === 'foot' ? height : height / 2)) / size.height)];
}

/** A box that the picture cuts off stands on its edge: that is still inside, for a zone that reaches there. */
const within = (share: number): number => Math.min(1 - 1e-6, Math.max(1e-6, share));
