import t from 'tap';
import { area, contains, polygonFault } from '../../edge/rules/geometry.js';
import { checkPlace, placeDetections } from '../../edge/rules/places.js';
import type { Place, Point } from '../../edge/rules/types.js';
import { Random } from '../huffman/random.js';

const square: Point[] = [
  [0.2, 0.2],
  [0.8, 0.2],
  [0.8, 0.8],
  [0.2, 0.8],
];

t.test('what is no simple polygon is named', (t) => {
  t.equal(polygonFault(square), undefined);
  const cases: [Point[], RegExp][] = [
    [square.slice(0, 2), /2 points; 3 to 32/],
    [Array.from({ length: 33 }, (_, i): Point => [i / 40, (i * i) / 2000]), /33 points/],
    [
      [
        [0, 0],
        [1.1, 0],
        [1, 1],
      ],
      /outside/,
    ],
    [
      [
        [0, 0],
        [Number.NaN, 0],
        [1, 1],
      ],
      /outside/,
    ],
    [
      [
        [0, 0],
        [1, 1],
        [1, 0],
        [0, 1],
      ],
      /cross/,
    ],
    [
      [
        [0, 0],
        [0, 0],
        [1, 1],
      ],
      /twice/,
    ],
    [
      [
        [0, 0],
        [0.5, 0.5],
        [1, 1],
      ],
      /cross|area/,
    ],
    [
      [
        [0, 0],
        [1, 0],
        [0.5, 0],
        [0.5, 1],
      ],
      /cross/,
    ],
    [
      [
        [0, 0],
        [1, 0],
        [1, 1],
        [0.5, 0],
        [0, 1],
      ],
      /cross/,
    ],
  ];
  for (const [points, fault] of cases) t.match(polygonFault(points), fault, JSON.stringify(points));
  t.end();
});

t.test(
  'property: star-shaped polygons are simple; inside is what winding says; a shifted start changes nothing',
  (t) => {
    const source = new Random(7);
    const next = (): number => source.next();
    let bad = 0;
    for (let round = 0; round < 300; round++) {
      const n = 3 + Math.floor(next() * 30);
      // one corner in each equal part of the circle, so that the centre is inside
      const points = Array.from({ length: n }, (_, i): Point => {
        const angle = ((i + 0.1 + 0.8 * next()) / n) * 2 * Math.PI;
        const radius = 0.2 + 0.29 * next();
        return [0.5 + radius * Math.cos(angle), 0.5 + radius * Math.sin(angle)];
      });
      if (n > 4 && polygonFault(points) !== undefined) bad++;
      if (n > 4 && !contains(points, [0.5, 0.5])) bad++;
      const turned = [...points.slice(2), ...points.slice(0, 2)];
      for (let k = 0; k < 20; k++) {
        const p: Point = [next(), next()];
        if (contains(points, p) !== winds(points, p)) bad++;
        if (contains(points, p) !== contains(turned, p)) bad++;
        if (contains(points, p) !== contains([...points].reverse(), p)) bad++;
      }
      if (Math.abs(area(points) + area([...points].reverse())) > 1e-12) bad++;
    }
    t.equal(bad, 0);
    t.end();
  },
);

/** By the sum of angles: another way to the same answer. */
function winds(points: readonly Point[], [x, y]: Point): boolean {
  let sum = 0;
  for (const [i, a] of points.entries()) {
    const b = points[(i + 1) % points.length];
    let turn = Math.atan2(b[1] - y, b[0] - x) - Math.atan2(a[1] - y, a[0] - x);
    if (turn > Math.PI) turn -= 2 * Math.PI;
    if (turn < -Math.PI) turn += 2 * Math.PI;
    sum += turn;
  }
  return Math.abs(sum) > Math.PI;
}

const place = (change: Partial<Place>): Place => ({
  ...{ id: 'a', camera: 'gate', name: 'Crane', kind: 'zone', anchor: 'foot', points: square, updated: 0 },
  ...change,
});

t.test('a detection is where its anchor is; what is in a mask is flagged', (t) => {
  const size = { width: 1000, height: 500 };
  const at = (box: [number, number, number, number]) => ({ class: 0, label: 'head', score: 0.9, box });
  const tall = at([400, 50, 100, 150]);
  const low = at([400, 270, 100, 200]);
  const cut = at([400, 300, 100, 200]);
  const places = [place({}), place({ id: 'b', name: 'Middle', anchor: 'centre' })];
  const [first, second] = placeDetections([tall, low], places, size);
  t.same(first.zones, ['Crane', 'Middle'], 'feet at 0.4, centre at 0.25');
  t.same(second.zones, ['Middle'], 'feet at 0.94, centre at 0.74');
  const floor = place({
    points: [
      [0, 0.5],
      [1, 0.5],
      [1, 1],
      [0, 1],
    ],
  });
  t.same(
    placeDetections([cut], [floor], size)[0].zones,
    ['Crane'],
    'the edge of the picture belongs to a zone that reaches it',
  );
  t.same(placeDetections([tall], [...places, place({ id: 'c', name: 'M', kind: 'mask' })], size), [
    { ...tall, masked: true },
  ]);
  t.equal(placeDetections([tall], [], size)[0], tall);
  t.end();
});

t.test('names are unique per camera, and a camera has so many places', (t) => {
  t.doesNotThrow(() => checkPlace(place({ camera: 'yard' }), [place({})]));
  t.throws(() => checkPlace(place({ id: 'b' }), [place({})]), { code: 'zone_exists' });
  const many = Array.from({ length: 64 }, (_, i) => place({ id: `${i}`, name: `z${i}` }));
  t.throws(() => checkPlace(place({}), many), { code: 'zones_full' });
  t.throws(() => checkPlace(place({ points: [] }), []), { code: 'zone_invalid' });
  t.end();
});
