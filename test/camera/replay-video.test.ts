import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { openCamera } from '../../agent/camera/index.js';
import { asItIs, in416, never, shared } from './pictures.js';

const installed = ((): boolean => {
  try {
    execFileSync('ffmpeg', ['-version'], { stdio: 'ignore' });
    execFileSync('ffprobe', ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    console.error('# ffmpeg is not installed: videos are not tested');
    return false;
  }
})();
const skip = installed ? false : 'ffmpeg is not installed';

const place = await mkdtemp(join(tmpdir(), 'deepcod-video-'));
t.teardown(() => rm(place, { recursive: true, force: true }));

/** 2 s of moving bars, 10 pictures per second, lossless colours as far as the format allows. */
function make(name: string, ...extra: string[]): string {
  const path = join(place, name);
  const source = ['-f', 'lavfi', '-i', 'testsrc=size=160x120:rate=10:duration=2'];
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...source, '-c:v', 'mpeg4', '-q:v', '2', ...extra, path]);
  return path;
}

const children = async (): Promise<number> => {
  const task = `/proc/self/task/${process.pid}/children`;
  const list = await readFile(task, 'utf8').catch(() => '');
  let count = 0;
  for (const pid of list.split(' ').filter(Boolean)) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    if (line.startsWith('ffmpeg') || state.includes('(ffmpeg)')) count++;
  }
  return count;
};

t.test('every picture of a video, scaled, with the size of the source', { skip }, async (t) => {
  const camera = await openCamera({ source: 'replay', input: make('a.mp4') }, in416);
  let count = 0;
  const seen = new Set<string>();
  for (let p = await camera.next(never); p; p = await camera.next(never)) {
    count++;
    t.same([p.width, p.height, p.sourceWidth, p.sourceHeight, p.data.length], [416, 312, 160, 120, 416 * 312 * 3]);
    seen.add(createHash('sha256').update(p.data).digest('hex'));
  }
  t.equal(count, 20);
  t.ok(seen.size > 10, 'the pictures move');
  await camera.close();
  t.equal(await children(), 0, 'ffmpeg is gone');
});

t.test('starts again at the end when told to', { skip }, async (t) => {
  const camera = await openCamera({ source: 'replay', input: make('b.mp4'), loop: true, frames: 45 }, asItIs);
  let count = 0;
  for (let p = await camera.next(never); p; p = await camera.next(never)) count++;
  t.equal(count, 45);
  await camera.close();
});

t.test('a lower rate leaves pictures out, as a camera would', { skip }, async (t) => {
  const camera = await openCamera({ source: 'replay', input: make('c.mp4'), fps: 5 }, asItIs);
  let count = 0;
  for (let p = await camera.next(never); p; p = await camera.next(never)) count++;
  t.ok(count >= 9 && count <= 11, `${count} pictures of 2 s at 5 per second`);
  await camera.close();
});

t.test('a video that was taken sideways comes upright', { skip }, async (t) => {
  const plain = make('d.mp4');
  const turned = join(place, 'turned.mp4');
  // ffmpeg 6 and later have an option for it, before that a tag did it
  const quiet = ['-v', 'quiet', '-y'];
  try {
    execFileSync('ffmpeg', [...quiet, '-display_rotation', '90', '-i', plain, '-c', 'copy', turned]);
  } catch {
    execFileSync('ffmpeg', [...quiet, '-i', plain, '-c', 'copy', '-metadata:s:v:0', 'rotate=90', turned]);
  }
  const camera = await openCamera({ source: 'replay', input: turned }, asItIs);
  const p = await camera.next(never);
  t.same([p?.width, p?.height, p?.sourceWidth, p?.sourceHeight], [120, 160, 120, 160]);
  await camera.close();
});

t.test('closing in the middle ends ffmpeg, and a waiting call with it', { skip }, async (t) => {
  const camera = await openCamera({ source: 'replay', input: make('e.mp4'), loop: true }, asItIs);
  t.ok(await camera.next(never));
  const taken: unknown[] = [];
  const reading = (async () => {
    for (let p = await camera.next(never); p; p = await camera.next(never)) taken.push(p.name);
  })();
  await camera.close();
  await reading;
  t.equal(await camera.next(never), null);
  await camera.close();
  t.equal(await children(), 0, 'nothing is left');
});

t.test('an aborted call loses no picture', { skip }, async (t) => {
  const camera = await openCamera({ source: 'replay', input: make('f.mp4') }, asItIs);
  await t.rejects(camera.next(AbortSignal.abort(new Error('stop'))), { message: 'stop' });
  let count = 0;
  for (;;) {
    const stop = new AbortController();
    const call = camera.next(stop.signal);
    queueMicrotask(() => stop.abort(new Error('stop')));
    const early = await call.catch((error: Error) => error);
    if (early === null) break;
    if (early instanceof Error) {
      const p = await camera.next(never);
      if (!p) break;
    }
    count++;
  }
  t.equal(count, 20);
  await camera.close();
});

t.test('a broken video, no video, and a name full of shell: clear errors', { skip }, async (t) => {
  const good = await readFile(make('g.mp4'));
  const cut = join(place, 'cut.mp4');
  await writeFile(cut, good.subarray(0, 2000));
  await t.rejects(openCamera({ source: 'replay', input: cut }, asItIs), {
    code: 'camera_video_broken',
    exitCode: 4,
    message: /cut\.mp4/,
  });
  const text = join(place, 'text.mp4');
  await writeFile(text, 'no video at all');
  await t.rejects(openCamera({ source: 'replay', input: text }, asItIs), { code: 'camera_video_broken' });
  const odd = join(place, '$(touch pwned); "a b".mp4');
  await writeFile(odd, good);
  const camera = await openCamera({ source: 'replay', input: odd }, asItIs);
  t.ok(await camera.next(never), 'the name is only a name');
  await camera.close();
  const list = join(place, 'list.mp4');
  await writeFile(list, `ffconcat version 1.0\nfile 'http://127.0.0.1:9/a.mp4'\n`);
  await t.rejects(
    openCamera({ source: 'replay', input: list }, asItIs),
    { code: 'camera_video_broken' },
    'reads nothing that a file points at',
  );
});

t.test('no ffmpeg: says so and what to do', async (t) => {
  const path = join(place, 'any.mp4');
  await writeFile(path, 'anything');
  const before = process.env.PATH;
  process.env.PATH = '';
  try {
    await t.rejects(openCamera({ source: 'replay', input: path }, asItIs), {
      code: 'camera_ffmpeg_missing',
      exitCode: 4,
      hint: /apt install ffmpeg/,
    });
  } finally {
    process.env.PATH = before;
  }
});

t.test('a real clip', { skip }, async (t) => {
  const input = shared(t, 'video/car-detection.mp4') ?? make('h.mp4');
  const camera = await openCamera({ source: 'replay', input, frames: 5 }, in416);
  for (let i = 0; i < 5; i++) {
    const p = await camera.next(never);
    t.equal(p?.data.length, (p?.width as number) * (p?.height as number) * 3);
  }
  t.equal(await camera.next(never), null);
  await camera.close();
  t.equal(await children(), 0);
});
