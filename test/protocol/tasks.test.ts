import t from 'tap';
import { type Manifest, type Outputs, postprocess, validateManifest } from '../../protocol/index.js';
import { Candidates } from '../../protocol/tasks/detect/candidates.js';
import { suppress } from '../../protocol/tasks/detect/nms.js';
import { exampleManifest, vectors } from './vectors.js';

const manifestFor = (v: (typeof vectors.detections)[number]): Manifest => {
  const manifest = exampleManifest();
  Object.assign(manifest.service, { classes: v.classes, decode: v.decode });
  [manifest.input.width, manifest.input.height] = v.input;
  return validateManifest(manifest);
};
const outputsOf = (v: (typeof vectors.detections)[number]): Outputs =>
  Object.fromEntries(Object.entries(v.outputs).map(([k, o]) => [k, { dims: o.dims, data: Float32Array.from(o.data) }]));
const near = (a: readonly number[], b: readonly number[]): boolean => a.every((v, i) => Math.abs(v - b[i]) < 1e-4);

t.test('golden detections, as the first and as the second of a batch', async (t) => {
  for (const v of vectors.detections) {
    const outputs = outputsOf(v);
    const source = { width: v.source[0], height: v.source[1] };
    const found = postprocess(outputs, 0, manifestFor(v), source);
    t.equal(found.length, v.detections.length, v.decode.type);
    for (const [i, d] of found.entries()) {
      t.equal(d.label, v.detections[i].label);
      t.equal(d.class, v.detections[i].class);
      t.ok(Math.abs(d.score - v.detections[i].score) < 1e-6, `score ${d.score}`);
      t.ok(near(d.box, v.detections[i].box), `box ${d.box} is ${v.detections[i].box}`);
    }
    const two: Outputs = {};
    for (const [name, { data, dims }] of Object.entries(outputs)) {
      const both = new Float32Array(2 * data.length).fill(-9);
      both.set(data, data.length);
      two[name] = { data: both, dims: [2, ...dims.slice(1)] };
    }
    t.same(postprocess(two, 0, manifestFor(v), source), []);
    t.same(postprocess(two, 1, manifestFor(v), source), found);
  }
});

t.test('options: threshold and limit', async (t) => {
  const v = vectors.detections[1];
  const source = { width: v.source[0], height: v.source[1] };
  t.equal(postprocess(outputsOf(v), 0, manifestFor(v), source, { score: 0.6 }).length, 1);
  t.equal(postprocess(outputsOf(v), 0, manifestFor(v), source, { limit: 1 }).length, 1);
  t.equal(postprocess(outputsOf(v), 0, manifestFor(v), source, { score: 1 }).length, 0);
});

t.test('outputs of another shape are an error that says so', async (t) => {
  for (const v of vectors.detections) {
    const name = Object.keys(v.outputs)[0];
    const { data, dims } = outputsOf(v)[name];
    const source = { width: 64, height: 32 };
    const run = (outputs: Outputs, index = 0) => postprocess(outputs, index, manifestFor(v), source);
    t.throws(() => run({}), { code: 'task_outputs' });
    t.throws(() => run({ [name]: { data: data.subarray(1), dims } }), { code: 'task_outputs' });
    t.throws(() => run({ [name]: { data, dims: [...dims, 1] } }), { code: 'task_outputs' });
    t.throws(() => run({ [name]: { data: new Uint8Array(data.length) as never, dims } }), { code: 'task_outputs' });
    t.throws(() => run({ [name]: { data, dims } }, 1), { code: 'task_outputs' });
    t.throws(() => run({ [name]: { data, dims } }, -1), { code: 'task_outputs' });
  }
});

t.test('whatever the numbers, boxes are finite and inside the picture', async (t) => {
  const strange = [Number.NaN, Infinity, -Infinity, 1e38, -1e38, 0, 1, 100, -100, 5];
  let seed = 1;
  const random = () => {
    seed = (seed * 48271) % 0x7fffffff;
    return seed / 0x7fffffff;
  };
  let boxes = 0;
  const outside: unknown[] = [];
  for (const v of vectors.detections) {
    for (let round = 0; round < 500; round++) {
      const outputs = outputsOf(v);
      for (const { data } of Object.values(outputs)) {
        for (let i = 0; i < data.length; i++) {
          data[i] = random() < 0.3 ? strange[Math.floor(random() * strange.length)] : random() * 4 - 1;
        }
      }
      for (const d of postprocess(
        outputs,
        0,
        manifestFor(v),
        { width: 64, height: 32 },
        { score: round % 2 ? 0 : 0.3 },
      )) {
        boxes++;
        const [x, y, w, h] = d.box;
        const inside = x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= 64 + 1e-9 && y + h <= 32 + 1e-9;
        if (!inside || !(d.score >= 0 && d.score <= 1)) outside.push(d);
      }
    }
  }
  t.ok(boxes > 1000, `${boxes} boxes looked at`);
  t.same(outside, []);
});

/** Textbook suppression on plain objects. */
function reference(c: Candidates, iou: number): number[] {
  const box = (i: number) => Array.from(c.corners.subarray(4 * i, 4 * i + 4));
  const area = (b: number[]) => (b[2] - b[0]) * (b[3] - b[1]);
  const over = (a: number[], b: number[]) => {
    const w = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]));
    const h = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
    return (w * h) / (area(a) + area(b) - w * h);
  };
  const left = Array.from({ length: c.length }, (_, i) => i).sort((a, b) => c.scores[b] - c.scores[a] || a - b);
  const kept: number[] = [];
  while (left.length > 0) {
    const best = left.shift() as number;
    kept.push(best);
    for (let i = left.length - 1; i >= 0; i--) {
      if (c.classes[left[i]] === c.classes[best] && over(box(left[i]), box(best)) > iou) left.splice(i, 1);
    }
  }
  return kept;
}

t.test('suppression equals the textbook on random boxes; a limit only cuts the end', async (t) => {
  let seed = 7;
  const random = () => {
    seed = (seed * 48271) % 0x7fffffff;
    return seed / 0x7fffffff;
  };
  for (let round = 0; round < 50; round++) {
    const c = new Candidates();
    for (let i = 0; i < 150; i++) {
      const score = Math.round(random() * 20) / 20;
      c.add(random() * 100, random() * 100, 5 + random() * 40, 5 + random() * 40, score, Math.floor(random() * 3));
    }
    const iou = random();
    const all = reference(c, iou);
    t.same(suppress(c, iou, 1000), all);
    t.same(suppress(c, iou, 5), all.slice(0, 5));
  }
});

t.test('candidates are capped to the best', async (t) => {
  const c = new Candidates();
  for (let i = 0; i < 1000; i++) c.add(10 * i, 5, 4, 4, i / 1000, 0);
  t.same(suppress(c, 0.5, 1000, 3), [999, 998, 997]);
});
