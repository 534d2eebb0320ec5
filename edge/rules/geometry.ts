import type { Point } from './types.js';

/** Polygons in a camera's picture; coordinates are shares of it. Pure. */

export const POINTS = { least: 3, most: 32 } as const;

/** What is wrong with a polygon, as a sentence; undefined: nothing. */
export function polygonFault(points: readonly Point[]): string | undefined {
  const { length } = points;
  if (length < POINTS.least || length > POINTS.most) return `${length} points; 3 to 32 are allowed`;
  for (const [x, y] of points) {
    if (!(x >= 0 && x <= 1 && y >= 0 && y <= 1))
      return `the point ${x}, ${y} is outside the picture: 0 to 1 is allowed`;
  }
  for (let i = 0; i < length; i++) {
    const [a, b] = [points[i], points[(i + 1) % length]];
    if (a[0] === b[0] && a[1] === b[1]) return `the point ${a.join(', ')} comes twice in a row`;
    for (let j = i + 1; j < length; j++) {
      const [c, d] = [points[j], points[(j + 1) % length]];
      const neighbours = j === i + 1 || (i === 0 && j === length - 1);
      if (neighbours ? foldsBack(a, b, c, d) : meet(a, b, c, d)) return `its sides ${i + 1} and ${j + 1} cross`;
    }
  }
  if (Math.abs(area(points)) < 1e-6) return 'it has no area';
  return undefined;
}

/** Whether a point lies in a simple polygon (even-odd; of the border, the left and upper part counts as inside). */
export function contains(points: readonly Point[], [x, y]: Point): boolean {
  let inside = false;
  for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
    const [xi, yi] = points[i];
    const [xj, yj] = points[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

/** Positive where the points go clockwise on a screen. */
export function area(points: readonly Point[]): number {
  let twice = 0;
  for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
    twice += points[j][0] * points[i][1] - points[i][0] * points[j][1];
  }
  return twice / 2;
}

/** On which side of the line a-b the point c lies: sign of the cross product. */
function side(a: Point, b: Point, c: Point): number {
  return Math.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]));
}

const within = (a: Point, b: Point, c: Point): boolean =>
  Math.min(a[0], b[0]) <= c[0] &&
  c[0] <= Math.max(a[0], b[0]) &&
  Math.min(a[1], b[1]) <= c[1] &&
  c[1] <= Math.max(a[1], b[1]);

/** Whether the segments a-b and c-d share a point. */
function meet(a: Point, b: Point, c: Point, d: Point): boolean {
  const [abc, abd, cda, cdb] = [side(a, b, c), side(a, b, d), side(c, d, a), side(c, d, b)];
  if (abc !== abd && cda !== cdb) return true;
  return (
    (abc === 0 && within(a, b, c)) ||
    (abd === 0 && within(a, b, d)) ||
    (cda === 0 && within(c, d, a)) ||
    (cdb === 0 && within(c, d, b))
  );
}

/** Whether two sides that share an end lie on each other. */
function foldsBack(a: Point, b: Point, c: Point, d: Point): boolean {
  const [shared, one, other] = b === c ? [b, a, d] : [a, b, c];
  if (side(shared, one, other) !== 0) return false;
  return (one[0] - shared[0]) * (other[0] - shared[0]) + (one[1] - shared[1]) * (other[1] - shared[1]) > 0;
}
