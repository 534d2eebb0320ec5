import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Camera, CameraOptions, Fit, Picture } from '../../../agent/camera/camera.js';
import { openCamera } from '../../../agent/camera/index.js';
import { fitPicture } from '../../../protocol/letterbox.js';
import { type Program, start } from '../../platform/process.js';
import { tinyBundle } from '../rig.js';
import type { Behaviour } from './stand-in/behaviour.js';
import { installStandIns } from './stand-in/install.js';

/** What tap gives a test. */
interface Test {
  testdir(): string;
  teardown(handler: () => unknown): unknown;
}

/** How small detectors want pictures: 96x96, in the middle. */
export const input = { width: 96, height: 96, letterbox: { align: 'center', pad: 114 } } as const;
export const fit: Fit = (width, height) => fitPicture(input, width, height);

export interface StandIn {
  behave(behaviour: Behaviour): void;
  /** Every start of rpicam-vid so far. */
  starts(): { pid: number; args: string[] }[];
  env: NodeJS.ProcessEnv;
  bin: string;
}

/** Puts programs of the stand-in folder first into PATH, under their own names. */
export function standIn(t: Test, behaviour: Behaviour = {}, programs = ['rpicam-vid', 'rpicam-hello']): StandIn {
  const folder = t.testdir();
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  installStandIns(bin, programs);
  const file = join(folder, 'behaviour.json');
  const log = join(folder, 'starts');
  const behave = (next: Behaviour) => {
    writeFileSync(`${file}.new`, JSON.stringify({ log, ...next }));
    renameSync(`${file}.new`, file);
  };
  behave(behaviour);
  const before = { PATH: process.env.PATH, RPICAM_BEHAVIOUR: process.env.RPICAM_BEHAVIOUR };
  const env = { ...process.env, PATH: `${bin}${delimiter}${before.PATH}`, RPICAM_BEHAVIOUR: file };
  process.env.PATH = env.PATH;
  process.env.RPICAM_BEHAVIOUR = file;
  t.teardown(() => {
    process.env.PATH = before.PATH;
    if (before.RPICAM_BEHAVIOUR === undefined) delete process.env.RPICAM_BEHAVIOUR;
  });
  return {
    behave,
    starts: () =>
      existsSync(log)
        ? readFileSync(log, 'utf8')
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line) as { pid: number; args: string[] })
        : [],
    env,
    bin,
  };
}

/** Opens a camera that the test closes. */
export async function open(t: Test, options: CameraOptions): Promise<Camera> {
  const camera = await openCamera(options, fit);
  t.teardown(() => camera.close());
  return camera;
}

export async function take(camera: Camera, ms = 40_000): Promise<Picture> {
  const picture = await camera.next(AbortSignal.timeout(ms));
  if (!picture) throw new Error('no picture');
  return picture;
}

/** Waits until the camera's state is this one. @returns how long that took, ms */
export async function untilState(camera: Camera, state: string, ms = 40_000): Promise<number> {
  const start = performance.now();
  while (camera.health?.state !== state) {
    if (performance.now() - start > ms)
      throw new Error(`in vain waited for ${state}: ${JSON.stringify(camera.health)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return performance.now() - start;
}

/** Whether a process is there, and no zombie. */
export function lives(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Nobody listens there: the service runs here. */
export const NO_BROKER = 'mqtt://127.0.0.1:9';

/** An agent in its own process, with the stand-in for a camera. @param more variables */
export const cameraAgent = (env: NodeJS.ProcessEnv, more: Record<string, string> = {}): Program =>
  start('agent/main.js', [], {
    ...(env as Record<string, string>),
    ...{ DEEPCOD_BUNDLE: tinyBundle, DEEPCOD_BROKER_URL: NO_BROKER, DEEPCOD_CAMERA_SOURCE: 'rpicam' },
    ...{ DEEPCOD_CAMERA_FPS: '10', DEEPCOD_THREADS: '1', ...more },
  });
