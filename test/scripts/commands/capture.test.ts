import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import t, { type Test } from 'tap';
import type { OpenCamera } from '../../../agent/camera/camera.js';
import { DeepcodError } from '../../../platform/errors.js';
import type { CameraHealth } from '../../../protocol/health.js';
import { type CapturePlan, capture } from '../../../scripts/commands/capture/capture.js';
import { standIn } from '../../agent/camera/rig.js';
import { absentCamera, noiseCamera, tinyBundle } from '../../agent/rig.js';
import { run, start } from '../../platform/process.js';

function folder(t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), 'capture-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const plan = (dir: string, more: Partial<CapturePlan> = {}): CapturePlan => ({
  ...{ folder: join(dir, 'out'), mostBytes: 1e9, everyMs: 1, side: 1920, camera: { source: 'stand-in' } },
  ...{ device: 'yard', agreed: 'A. Berg, 2026-11-21', ...more },
});
const parts = (openCamera: OpenCamera, more = {}) => ({
  ...{ openCamera, say: () => {}, signal: new AbortController().signal, free: async () => true },
  ...more,
});
const jpegs = (dir: string) => readdirSync(dir).filter((name) => name.endsWith('.jpg'));

t.test('pictures, and what is said of them', async (t) => {
  const dir = folder(t);
  const report = await capture(plan(dir), parts(noiseCamera(3)));
  t.match(report, { pictures: 3, ended: 'the input ended', agreed: 'A. Berg, 2026-11-21', device: 'yard' });
  const out = join(dir, 'out');
  const [first] = jpegs(out);
  t.match(first, /^\d{8}T\d{6}\.\d{3}Z\.jpg$/);
  t.match(await sharp(join(out, first)).metadata(), { format: 'jpeg', width: 64, height: 48 });
  t.same(JSON.parse(readFileSync(join(out, 'metadata.json'), 'utf8')), report);
  t.match(readFileSync(join(out, 'README.txt'), 'utf8'), /Agreed: A\. Berg/);
  t.equal(statSync(join(out, first)).mode & 0o777, 0o600, 'for the owner alone');
  t.same(
    readdirSync(out).filter((name) => name.endsWith('.part')),
    [],
  );
  writeFileSync(join(out, 'x.jpg.part'), 'half');
  t.equal((await capture(plan(dir), parts(noiseCamera(2)))).pictures, 5, 'more are added');
  t.same(
    readdirSync(out).filter((name) => name.endsWith('.part')),
    [],
    'what a power cut left goes',
  );
});

t.test('never more than allowed, over several runs', async (t) => {
  const dir = folder(t);
  const size = (await capture(plan(dir), parts(noiseCamera(1)))).bytes;
  const most = Math.round(size * 4.5);
  const full = await capture(plan(dir, { mostBytes: most }), parts(noiseCamera(50)));
  t.match(full, { ended: 'the folder is full' });
  const bytes = jpegs(join(dir, 'out')).reduce((sum, name) => sum + statSync(join(dir, 'out', name)).size, 0);
  t.ok(bytes <= most && bytes > most / 2, `${bytes} of ${most}`);
  t.equal(full.bytes, bytes);
});

t.test('time, disk, stop, size', async (t) => {
  const dir = folder(t);
  t.match(await capture(plan(dir, { forMs: 80, everyMs: 20 }), parts(noiseCamera())), { ended: 'the time is over' });
  await t.rejects(capture(plan(dir), parts(noiseCamera(), { free: async () => false })), {
    code: 'capture_disk',
    exitCode: 2,
  });
  let asked = 0;
  const short = await capture(plan(folder(t)), parts(noiseCamera(), { free: async () => ++asked < 3 }));
  t.match(short, { ended: 'the disk runs short of room', pictures: 10 });
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 60);
  t.match(await capture(plan(dir, { everyMs: 10 }), parts(noiseCamera(), { signal: stop.signal })), {
    ended: 'stopped',
  });
  const small = folder(t);
  await capture(plan(small, { side: 32 }), parts(noiseCamera(1)));
  t.match(await sharp(join(small, 'out', jpegs(join(small, 'out'))[0])).metadata(), { width: 32, height: 24 });
});

t.test('a camera that somebody else holds', async (t) => {
  const dir = folder(t);
  const busy: OpenCamera = async () => {
    throw new DeepcodError('camera_busy', 'in use by node (pid 7)');
  };
  const expected = { code: 'camera_busy', exitCode: 4, hint: /systemctl stop deepcod-agent/ };
  await t.rejects(capture(plan(dir), parts(busy)), expected);
  /** As live cameras do: they open, go on trying, and tell why they wait. */
  const waiting: OpenCamera = async (options) => ({
    description: 'waits',
    next: (signal) => {
      const busy = { state: 'busy', description: 'camera 0', since_s: 0, restarts: 0 } as const;
      setTimeout(() => options.changed?.({ ...busy, message: 'camera 0 is in use by agent' }), 20);
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
    close: async () => {},
  });
  await t.rejects(capture(plan(dir), parts(waiting)), { ...expected, message: /camera 0 is in use/ });
});

t.test('a camera that fails ends it when the time is over, and that is said', async (t) => {
  const health = { description: 'camera 0', since_s: 0, restarts: 0 };
  const stalled = { ...health, state: 'stalled', message: 'camera 0 sends no pictures' } as const;
  /** Gives so many pictures, then none. @param told what it says then */
  const failing =
    (pictures: number, told: CameraHealth[]): OpenCamera =>
    async (options, fit) => {
      const camera = await noiseCamera(pictures)(options, fit);
      const absent = await absentCamera([])(options, fit);
      return {
        ...absent,
        next: async (signal) => {
          const picture = await camera.next(signal);
          if (picture) return picture;
          for (const each of told) options.changed?.(each);
          return absent.next(signal);
        },
      };
    };
  const dir = folder(t);
  const brief = plan(dir, { forMs: 100 });
  const said: string[] = [];
  const failed = await capture(brief, parts(failing(2, [stalled]), { say: (line: string) => said.push(line) }));
  t.match(failed, {
    pictures: 2,
    ended: 'the time is over, and the camera has failed: camera 0 sends no pictures',
    camera_trouble: 'camera 0 sends no pictures',
  });
  t.ok(said.includes('camera 0 sends no pictures'), 'said when it happens');
  t.same(JSON.parse(readFileSync(join(dir, 'out', 'metadata.json'), 'utf8')), failed);
  const back = await capture(brief, parts(failing(2, [stalled, { ...health, state: 'running' }])));
  t.match(back, { ended: 'the time is over', camera_trouble: undefined });
  const never = { code: 'camera_silent', exitCode: 4, message: /no picture within 0\.1 s: camera 0 sends no pictures/ };
  await t.rejects(capture(brief, parts(failing(0, [stalled]))), never);
  const begin = performance.now();
  const slow = plan(dir, { forMs: 100, everyMs: 60_000 });
  t.match(await capture(slow, parts(noiseCamera())), { ended: 'the time is over' });
  t.ok(performance.now() - begin < 30_000, 'the time between two pictures is no reason to go on');
});

t.test('the command ends with a real camera that fails', async (t) => {
  const { env } = standIn(t, { stallAfter: 3 });
  const dir = folder(t);
  const config = join(dir, 'agent.yaml');
  const camera = 'camera: { source: rpicam, fps: 10 }\ncapture: { consent: true, agreed: "A. Berg, 2026-11-21" }';
  writeFileSync(config, `device: yard\nbundle: ${tinyBundle}\n${camera}\n`);
  const args = ['capture', '--config', config, '--out', join(dir, 'out'), '--megabytes', '1', '--every', '0'];
  const running = start('scripts/deepcod.js', [...args, '--minutes', '0.15'], env as Record<string, string>);
  t.equal(await running.ended(), 4);
  // On a machine where a program takes seconds to start, there may be no picture at all.
  t.match(running.output(), /the camera has failed: camera 0 is there and sends no pictures|no picture within 9 s/);
});

t.test('the command: consent, and a run to its end', async (t) => {
  const dir = folder(t);
  const config = join(dir, 'agent.yaml');
  const out = join(dir, 'out');
  const base = `device: yard\nbundle: ${tinyBundle}\ncamera: { fps: 0 }\n`;
  const args = ['capture', '--config', config, '--out', out, '--every', '0', '--side', '160'];
  writeFileSync(config, base);
  t.match(await run('scripts/deepcod.js', [...args, '--megabytes', '1']), { code: 2, output: /has not agreed/ });
  writeFileSync(config, `${base}capture: { consent: true }\n`);
  t.match(await run('scripts/deepcod.js', [...args, '--megabytes', '1']), { code: 2, output: /does not say who/ });
  t.throws(() => statSync(out), 'nothing is made without consent');
  writeFileSync(config, `${base}capture: { consent: true, agreed: "A. Berg, 2026-11-21" }\n`);
  t.match(await run('scripts/deepcod.js', [...args.slice(0, 3)]), { code: 2, output: /both are needed/ });
  const running = start('scripts/deepcod.js', [...args, '--megabytes', '1']);
  await running.says(/the first of/);
  running.child.kill('SIGTERM');
  t.equal(await running.ended(), 0);
  t.match(running.output(), /\d+ pictures, 0\.\d MB in .*: stopped/);
});
