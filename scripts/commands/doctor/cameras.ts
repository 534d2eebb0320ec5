import { UNIT } from './checks/service.js';
import { type Environment, link, list, properties, read } from './environment.js';

/** Cameras that the Raspberry Pi's programs find, or that these are `missing`. */
export async function listCameras(env: Environment): Promise<string[] | 'missing'> {
  const { problem, stdout, stderr } = await env.run('rpicam-hello', ['--list-cameras'], 6000);
  if (problem === 'missing') return 'missing';
  return `${stdout}\n${stderr}`.split('\n').flatMap((line) => /^\d+ : (\S+)/.exec(line)?.[1] ?? []);
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
