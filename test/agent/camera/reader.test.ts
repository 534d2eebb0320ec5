import t from 'tap';
import { Due } from '../../../agent/camera/live/due.js';
import { FrameReader } from '../../../agent/camera/live/reader.js';

/** A frame of `size` bytes: its number, again and again. */
const frame = (number: number, size: number) => new Uint8Array(size).fill(number);

function reader(sizes: number[]) {
  const given: number[][] = [];
  const made = new FrameReader(sizes, ({ data, size }) => {
    t.equal(data.length, size);
    t.ok(
      data.every((value) => value === data[0]),
      'of one piece',
    );
    given.push([data[0], size]);
    return undefined;
  });
  return { made, given };
}

t.test('cut anywhere', async (t) => {
  for (const cut of [1, 7, 100, 101, 1000]) {
    const { made, given } = reader([100]);
    const stream = Buffer.concat([1, 2, 3, 4, 5].map((number) => frame(number, 100)));
    for (let at = 0; at < stream.length; at += cut) made.push(stream.subarray(at, at + cut), at);
    t.same(
      given.map(([number]) => number),
      [1, 2, 3, 4, 5],
    );
    made.pause();
    t.equal(made.broken, 0);
  }
});

t.test('which size it is, from the first pause', async (t) => {
  for (const size of [100, 120, 90]) {
    const { made, given } = reader([100, 120, 90]);
    for (const number of [1, 2, 3]) {
      made.push(frame(number, size).subarray(0, 50), number);
      made.push(frame(number, size).subarray(50), number);
      made.pause();
    }
    t.same(given, [
      [1, size],
      [2, size],
      [3, size],
    ]);
  }
});

t.test('no pauses: the usual size', async (t) => {
  const { made, given } = reader([100, 120]);
  made.push(Buffer.concat([1, 2, 3].map((number) => frame(number, 100))), 0);
  t.same(given, [
    [1, 100],
    [2, 100],
    [3, 100],
  ]);
});

t.test('a size that was taken wrongly is put right', async (t) => {
  const given: number[] = [];
  const made = new FrameReader([100, 120], ({ size }) => void given.push(size) as undefined);
  made.push(frame(1, 240), 0);
  made.pause();
  for (const number of [2, 3]) {
    made.push(frame(number, 120), 0);
    made.pause();
  }
  t.same(given.slice(-1), [120]);
  t.ok(made.broken >= 1);
});

t.test('frames without their end are left out', async (t) => {
  const { made, given } = reader([100]);
  for (const [number, size] of [
    [1, 100],
    [2, 40],
    [3, 100],
    [4, 99],
    [5, 1],
    [6, 100],
  ]) {
    made.push(frame(number, size), 0);
    made.pause();
  }
  t.same(
    given.map(([number]) => number),
    [1, 3, 6],
  );
  t.equal(made.broken, 3);
});

t.test('memory of pictures that nobody took is used again', async (t) => {
  const seen = new Set<ArrayBufferLike>();
  let last: Uint8Array | undefined;
  const made = new FrameReader([100], ({ data }) => {
    seen.add(data.buffer);
    const before = last;
    last = data;
    return before;
  });
  for (let number = 0; number < 50; number++) made.push(frame(number, 100), 0);
  t.equal(seen.size, 2);
});

t.test('as many pictures as are wanted, at once when they come', async (t) => {
  const taken = (fps: number, every: number, jitter = 0) => {
    const due = new Due(fps);
    let count = 0;
    for (let i = 0; i < 10_000 / every; i++) if (due.take(1000 + i * every + (i % 3) * jitter)) count++;
    return count;
  };
  t.equal(taken(0, 33), 304);
  t.equal(taken(5, 200), 50);
  t.equal(taken(5, 200, 10), 50, 'a camera that does not tick evenly');
  const fromThirty = taken(5, 100 / 3);
  t.ok(Math.abs(fromThirty - 50) <= 1, `${fromThirty} of 300`);
  const fromSeven = taken(5, 1000 / 7);
  t.ok(Math.abs(fromSeven - 50) <= 2, `${fromSeven} of 70`);
});
