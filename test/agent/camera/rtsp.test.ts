import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { findProgram } from '../../../agent/camera/live/program.js';
import { streamAddress } from '../../../agent/camera/rtsp/address.js';
import { rtspTrouble } from '../../../agent/camera/rtsp/trouble.js';
import { open, take, untilState } from './rig.js';
import { RtspServer } from './rtsp-server.js';

const hasFfmpeg = findProgram('ffmpeg') !== undefined;
if (!hasFfmpeg) t.comment('ffmpeg is not installed: network cameras are not tested');

/** A server with a stream of 320x180: left half red, right half blue. */
async function serve(t: { teardown(handler: () => unknown): unknown }): Promise<{ server: RtspServer; port: number }> {
  const server = new RtspServer();
  const port = await server.listen();
  const picture = 'color=red:size=160x180:rate=10[l];color=blue:size=160x180:rate=10[r];[l][r]hstack';
  const ffmpeg = spawn(
    'ffmpeg',
    [
      ...['-v', 'error', '-nostdin', '-re', '-f', 'lavfi', '-i', picture, '-c:v', 'mpeg4', '-g', '5'],
      ...['-f', 'rtsp', '-rtsp_transport', 'tcp', `rtsp://127.0.0.1:${port}/stream`],
    ],
    { stdio: 'inherit' },
  );
  const ended = new Promise((done) => ffmpeg.once('close', done));
  t.teardown(async () => {
    ffmpeg.kill('SIGKILL');
    await Promise.all([ended, server.close()]);
  });
  while (!server.hasStream) await new Promise((resolve) => setTimeout(resolve, 20));
  return { server, port };
}

t.test('a stream with a password, turned over, stalled, and back', { skip: !hasFfmpeg }, async (t) => {
  const { server, port } = await serve(t);
  const secret = "p'ss wörd%&";
  server.credentials = `guard:${secret}`;
  const file = join(t.testdir(), 'password');
  writeFileSync(file, `${secret}\n`);
  const url = `rtsp://127.0.0.1:${port}/stream`;
  const options = { source: 'rtsp', url, fps: 5, username: 'guard', password_file: file };
  const camera = await open(t, { ...options, rotation: 180 });
  const picture = await take(camera, 30_000);
  t.match(picture, { width: 96, height: 54, sourceWidth: 320, sourceHeight: 180, yuv: undefined });
  const [r, , b] = picture.data.subarray(27 * 96 * 3 + 30, 27 * 96 * 3 + 33);
  t.ok(b > 150 && r < 100, `blue is left now: ${r}, ${b}`);
  t.match(camera.health, { state: 'running', description: `network camera ${url}, 320x180, scaled to 96x54` });
  const words = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    });
  t.ok(
    words.some((line) => line.includes('pipe:0')),
    'it runs',
  );
  t.notOk(
    words.some((line) => line.includes('ss%20w')),
    'and nobody reads the password in its arguments',
  );

  server.stalled = true;
  t.ok((await untilState(camera, 'stalled')) < 2000);
  t.match(camera.health?.message, `127.0.0.1:${port} sends no pictures: check that the camera is on`);
  server.stalled = false;
  await untilState(camera, 'running', 40_000);
  const begin = performance.now();
  await camera.close();
  t.ok(performance.now() - begin < 1000);

  server.credentials = 'guard:another';
  const refused = await open(t, options);
  await untilState(refused, 'failed', 30_000);
  t.match(refused.health?.message, /refuses the user or the password: check camera.username/);
  server.credentials = undefined;
  const lost = await open(t, { source: 'rtsp', url: `${url}s` });
  await untilState(lost, 'failed', 30_000);
  t.match(lost.health?.message, /has no stream \/streams: check the path of camera.url/);
});

t.test('nobody answers', { skip: !hasFfmpeg }, async (t) => {
  const server = new RtspServer();
  const port = await server.listen();
  await server.close();
  const camera = await open(t, { source: 'rtsp', url: `rtsp://127.0.0.1:${port}/stream` });
  await untilState(camera, 'gone', 30_000);
  t.match(camera.health?.message, `nothing answers at 127.0.0.1:${port}: RTSP is switched off`);
});

t.test('addresses', async (t) => {
  const file = join(t.testdir(), 'password');
  writeFileSync(file, "it's@:/\n");
  const url = 'rtsp://camera.lan:8554/live?channel=1';
  t.same(streamAddress({ source: 'rtsp', url, username: 'a b', password_file: file }), {
    shown: url,
    secret: 'rtsp://a%20b:it%27s%40%3A%2F@camera.lan:8554/live?channel=1',
  });
  for (const [options, message] of [
    [{}, /has no address/],
    [{ url: 'camera' }, /is no address/],
    [{ url: 'http://camera/' }, /http:\/\/ is not known/],
    [{ url: "rtsp://camera/'" }, /no quotes/],
    [{ url: 'rtsp://a:b@camera/' }, /holds a password/],
    [{ url, password_file: file }, /without camera.username/],
    [{ url, username: 'a', password_file: '/nowhere' }, /the camera's password/],
  ] as const) {
    t.throws(() => streamAddress({ source: 'rtsp', ...options }), { exitCode: 2, message });
  }
});

t.test('words of ffmpeg, without the password', async (t) => {
  const address = { shown: 'rtsp://cam/x', secret: 'rtsp://u:geheim@cam/x' };
  for (const [errors, state, message] of [
    ['[tcp @ 0x5] Failed to resolve hostname cam: Name or service not known', 'gone', /no address is known for cam/],
    ['Connection to tcp://cam:554?timeout=0 failed: No route to host', 'gone', /cam cannot be reached/],
    ['method DESCRIBE failed: 453 Not Enough Bandwidth', 'busy', /no more viewers/],
    ['method DESCRIBE failed: 403 Forbidden', 'failed', /forbids/],
    [
      "Impossible to open 'rtsp://u:geheim@cam/x'\nError: odd thing at rtsp://u:geheim@cam/x",
      'failed',
      /odd thing at rtsp:\/\/cam\/x/,
    ],
  ] as const) {
    const trouble = rtspTrouble(address, { errors, code: 1, signal: null });
    t.match(trouble, { state, message });
    t.notMatch(trouble.message, 'geheim');
  }
});

if (hasFfmpeg) t.comment(execFileSync('ffmpeg', ['-version']).toString().split('\n')[0]);
