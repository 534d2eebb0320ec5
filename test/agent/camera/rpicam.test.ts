import t from 'tap';
import type { CameraHealth } from '../../../protocol/health.js';
import { lives, open, standIn, take, untilState } from './rig.js';

t.test('pictures: whole view, right size, padding left out, newest first', async (t) => {
  const { starts } = standIn(t);
  const camera = await open(t, { source: 'rpicam', fps: 20, hflip: true, gain: 2, lens_position: 0.5 });
  const picture = await take(camera);
  t.match(picture, { width: 96, height: 54, sourceWidth: 2304, sourceHeight: 1296, yuv: { stride: 128, rows: 54 } });
  for (const [x, y] of [
    [1, 0],
    [95, 1],
    [40, 53],
  ]) {
    t.equal(picture.data[y * 128 + x], (3 * x + 5 * y) & 255, `Y at ${x}, ${y}`);
  }
  t.equal(picture.data[128 * 54 + 47], 90);
  t.equal(picture.data[128 * 54 * 1.25 + 64 * 26 + 47], 160 + 26);
  t.ok(picture.captureMs >= 0 && picture.captureMs < 200, `${picture.captureMs} ms old`);
  const [{ args }] = starts();
  t.same(args.slice(args.indexOf('--width')), [
    ...['--width', '96', '--height', '54', '--framerate', '20', '--mode', '2304:1296:10:P', '--hflip'],
    ...['--gain', '2', '--autofocus-mode', 'manual', '--lens-position', '0.5'],
  ]);

  const first = (await take(camera)).data[0];
  await new Promise((resolve) => setTimeout(resolve, 400));
  const late = await take(camera);
  t.ok(((late.data[0] - first + 256) & 255) >= 5, 'those between were left out');
  t.ok(late.captureMs < 150, `the newest waited, ${late.captureMs} ms old`);
  t.match(camera.health, {
    state: 'running',
    restarts: 0,
    description: /Camera Module 3 \(imx708\), camera 0, 2304x1296/,
  });
  const start = performance.now();
  await camera.close();
  t.ok(performance.now() - start < 1000, 'closed in a second');
  t.notOk(lives(starts()[0].pid), 'nothing is left');
});

t.test('rows padded otherwise: seen from the size of a frame', async (t) => {
  for (const padding of [2, 32, 128]) {
    await t.test(`${padding}`, async (t) => {
      standIn(t, { padding, list: 'imx477-hq' });
      const camera = await open(t, { source: 'rpicam', fps: 20 });
      const picture = await take(camera);
      const stride = Math.ceil(96 / padding) * padding;
      t.match(picture, { width: 96, height: 71, sourceWidth: 2028, sourceHeight: 1520, yuv: { stride, rows: 72 } });
      t.equal(picture.data[70 * stride + 95], (3 * 95 + 5 * 70) & 255);
      t.equal(camera.skipped, 0);
    });
  }
});

t.test('half a frame is left out, and the next ones are whole', async (t) => {
  standIn(t, { halfAt: [3, 6, 7] });
  const camera = await open(t, { source: 'rpicam', fps: 10 });
  const numbers: number[] = [];
  while ((numbers.at(-1) ?? 0) < 10) {
    const { data, yuv } = await take(camera);
    t.equal(data[(yuv?.stride ?? 0) * 53 + 95], (3 * 95 + 5 * 53) & 255, 'a whole picture');
    numbers.push(data[0]);
  }
  t.notOk(
    numbers.some((number) => [3, 6, 7].includes(number)),
    `${numbers}`,
  );
  t.equal(camera.skipped, 3);
});

t.test('stalled: within two seconds, named, started again, although it does not want to end', async (t) => {
  const { behave, starts } = standIn(t, { stallAfter: 5, ignores: ['SIGINT', 'SIGTERM'] });
  const told: CameraHealth[] = [];
  const camera = await open(t, { source: 'rpicam', fps: 10, changed: (health) => told.push(health) });
  for (let i = 0; i < 4; i++) await take(camera);
  await untilState(camera, 'running');
  const ms = await untilState(camera, 'stalled');
  t.ok(ms < 2000, `seen after ${Math.round(ms)} ms`);
  t.match(camera.health?.message, /camera 0 is there and sends no pictures: check both ends of its ribbon cable/);
  behave({});
  await untilState(camera, 'running');
  t.ok((camera.health?.restarts ?? 0) >= 1);
  t.same(told.map(({ state }) => state).slice(0, 3), ['running', 'stalled', 'running']);
  t.notOk(lives(starts()[0].pid), 'the first is gone');
});

t.test('what the camera says of itself is heard at once', async (t) => {
  const says = '[5:00:54.9] [2324] ERROR RPI pipeline_base.cpp:1424 Camera frontend has timed out!';
  standIn(t, { says, stallAfter: 0 });
  const camera = await open(t, { source: 'rpicam', fps: 10 });
  t.ok((await untilState(camera, 'stalled')) < 8000, 'long before its patience ends; Node starts meanwhile');
});

t.test('ends by itself: named and started again with growing pauses', async (t) => {
  const { starts } = standIn(t, { dieAfter: 2, startMs: 0 });
  const camera = await open(t, { source: 'rpicam', fps: 20 });
  await take(camera);
  t.ok((await untilState(camera, 'failed')) < 2000);
  t.match(camera.health?.message, 'rpicam-vid ended with code 1');
  const begin = performance.now();
  while (starts().length < 3) await new Promise((resolve) => setTimeout(resolve, 20));
  t.ok(performance.now() - begin > 1000, 'not in a hurry');
  t.equal(camera.health?.restarts, 2);
});

t.test('busy, absent at the start, and other words: the agent waits and tries again', async (t) => {
  const busy =
    'INFO Camera camera.cpp:1008 Pipeline handler in use by another process\nERROR: *** failed to acquire camera /base/x ***';
  const { behave } = standIn(t, { says: busy, exit: 255 });
  const camera = await open(t, { source: 'rpicam', fps: 10 });
  await untilState(camera, 'busy');
  t.match(camera.health?.message, 'camera 0 is in use by another program: stop that, a camera serves one program');
  behave({ list: 'none', says: 'ERROR: *** cosmic rays ***', exit: 255 });
  const absent = await open(t, { source: 'rpicam', fps: 10 });
  await untilState(absent, 'gone');
  t.match(absent.health?.message, /^no camera is found at a CSI port: switch the device off/);
  await untilState(camera, 'failed');
  t.match(camera.health?.message, 'rpicam-vid says: ERROR: *** cosmic rays ***');
  behave({});
  await Promise.all([take(camera), take(absent)]);
  t.equal(camera.health?.state, 'running');
});

t.test('a second camera that is not there is waited for, one that is gets its own modes', async (t) => {
  const { starts } = standIn(t, { list: 'two-pi5' });
  const second = await open(t, { source: 'rpicam', fps: 10, index: 1 });
  t.match(await take(second), { width: 96, height: 72, sourceWidth: 1640, sourceHeight: 1232 });
  t.match(starts()[0].args.join(' '), '--camera 1 ');
  const third = await open(t, { source: 'rpicam', fps: 10, index: 2 });
  await untilState(third, 'gone');
  t.match(third.health?.message, /there is no camera 2: deepcod camera list/);
});

t.test('what no waiting cures ends it at once', async (t) => {
  standIn(t, { list: 'imx219-v2' });
  const wrong = open(t, { source: 'rpicam', size: '1280x720' });
  await t.rejects(wrong, { code: 'camera_size', exitCode: 4, hint: /It has 640x480, 1640x1232/ });
  process.env.PATH = '/nowhere';
  const missing = open(t, { source: 'rpicam' });
  await t.rejects(missing, { code: 'camera_program_missing', exitCode: 4, message: 'rpicam-vid is not installed' });
});

t.test('closed while it starts, and while it waits', async (t) => {
  const { behave, starts } = standIn(t, { list: 'none' });
  const waiting = await open(t, { source: 'rpicam' });
  behave({ startMs: 3000, ignores: ['SIGINT'] });
  const starting = await open(t, { source: 'rpicam' });
  while (starts().length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  const begin = performance.now();
  const next = starting.next(new AbortController().signal);
  await Promise.all([starting.close(), waiting.close()]);
  t.ok(performance.now() - begin < 1000);
  t.equal(await next, null);
  t.notOk(lives(starts()[0].pid));
});
