import { setTimeout as pause } from 'node:timers/promises';
import type { CameraOptions, Picture } from '../../../agent/camera/camera.js';
import { parseCameras } from '../../../agent/camera/rpicam/list.js';
import type { CameraHealth } from '../../../protocol/health.js';
import { UNIT } from './checks/service.js';
import { type Environment, link, list, properties, read } from './environment.js';

/** Cameras that the Raspberry Pi's programs find, or that these are `missing`. */
export async function listCameras(env: Environment): Promise<string[] | 'missing'> {
  const { problem, stdout, stderr } = await env.run('rpicam-hello', ['--list-cameras'], 6000);
  if (problem === 'missing') return 'missing';
  return parseCameras(`${stdout}\n${stderr}`).map(({ model }) => model);
}

/** Whether the agent's user may open cameras: root, in group video, or given it by the unit. */
export async function mayUseVideo(env: Environment): Promise<{ user: string; may: boolean }> {
  const { stdout } = await env.run('systemctl', ['show', UNIT, '--property=User,SupplementaryGroups'], 3000);
  const unit = properties(stdout);
  const group = ((await read(env, '/etc/group')) ?? '')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === 'video');
  const passwd = ((await read(env, '/etc/passwd')) ?? '').split('\n').map((line) => line.split(':'));
  if (unit.User) {
    const member =
      group?.[3]?.split(',').includes(unit.User) || (unit.SupplementaryGroups ?? '').split(/\s+/).includes('video');
    return { user: unit.User, may: member || unit.User === 'root' };
  }
  const name = passwd.find(([, , uid]) => Number(uid) === env.uid)?.[0] ?? String(env.uid);
  return { user: name, may: env.uid === 0 || (group !== undefined && env.gids.includes(Number(group[2]))) };
}

/** Programs that have a video or media device open, as far as this user may see: "name (pid 812)". */
export async function holders(env: Environment): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await list(env, '/proc')).filter((name) => /^\d+$/.test(name))) {
    for (const fd of await list(env, `/proc/${pid}/fd`)) {
      if (!/^\/dev\/(video|media)\d+$/.test((await link(env, `/proc/${pid}/fd/${fd}`)) ?? '')) continue;
      found.push(`${(await read(env, `/proc/${pid}/comm`)) ?? 'program'} (pid ${pid})`);
      break;
    }
  }
  return found;
}

/** Why a source gives no picture, as it says itself. */
export interface CameraTrouble {
  state: Exclude<CameraHealth['state'], 'running' | 'starting'>;
  message: string;
}

/**
 * Opens a camera and takes one picture. Sources that live outside this process tell their trouble as they go on trying: the
 * first trouble ends it.
 * @param patienceMs for opening and the picture together
 * @returns the picture and what the source calls itself; null at the end of an input; or the trouble
 * @throws DeepcodError of the source, and the signal's reason
 */
export async function firstPicture(
  env: Environment,
  options: CameraOptions,
  side: number,
  patienceMs: number,
  signal: AbortSignal,
): Promise<{ description: string; picture: Picture | null } | CameraTrouble> {
  const stop = new AbortController();
  const ours = AbortSignal.any([signal, stop.signal]);
  let settle: (trouble: CameraTrouble) => void = () => {};
  const trouble = new Promise<CameraTrouble>((resolve) => {
    settle = resolve;
  });
  const changed = ({ state, message = state }: CameraHealth) => {
    if (state !== 'running' && state !== 'starting') settle({ state, message });
  };
  const late = pause(patienceMs, undefined, { signal: ours }).then((): CameraTrouble => {
    return { state: 'stalled', message: `no picture within ${patienceMs / 1000} s` };
  });
  const opening = env.openCamera({ ...options, changed }, () => ({ width: side, height: side }));
  const picture = opening.then(async (camera) => ({
    description: camera.description,
    picture: await camera.next(ours),
  }));
  try {
    return await Promise.race([picture, trouble, late]);
  } finally {
    stop.abort();
    for (const rest of [picture, late]) rest.catch(() => {});
    // It may still be opening: it is closed as soon as it is open.
    await Promise.race([
      opening.then((camera) => camera.close()).catch(() => {}),
      pause(CLOSING_MS, undefined, { ref: false }),
    ]);
  }
}

/** Closing ends a camera's program, which takes a second at most, ms. */
const CLOSING_MS = 1500;
