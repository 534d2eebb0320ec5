import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { defineCheck } from '../check.js';
import { type Environment, read } from '../environment.js';

const MIB = 2 ** 20;
const LITTLE = 200 * MIB;
const NONE = 10 * MIB;
/** Free inodes below this share are as bad as no room. */
const FEW_FILES = 0.02;

export const diskCheck = defineCheck({
  name: 'disk',
  title: 'disk',
  group: 'device',
  timeoutMs: 3000,
  uses: ['config'],
  findings: {
    disk_ok: { status: 'pass', means: 'There is room, and where the agent writes can be written.' },
    disk_full: {
      status: 'failure',
      symptom: 'silent',
      means: 'There is no room left. Results that wait for the broker are lost, updates fail, and logins may too.',
      todo: 'See what fills it: `sudo du -xh {path} --max-depth=2 | sort -h | tail`; often `sudo journalctl --vacuum-size=50M` and `sudo apt clean`.',
    },
    disk_low: {
      status: 'warning',
      means: 'Little room is left: an update of software or bundle may not fit.',
      todo: '`sudo journalctl --vacuum-size=50M`, `sudo apt clean`; see `sudo du -xh {path} --max-depth=2 | sort -h | tail`.',
    },
    disk_no_inodes: {
      status: 'failure',
      symptom: 'silent',
      means: 'There is room, but no more files can be made (inodes are used up): somewhere lie very many small files.',
      todo: '`sudo du --inodes -x {path} --max-depth=3 | sort -n | tail`',
    },
    disk_read_only: {
      status: 'failure',
      symptom: 'silent',
      means:
        'The file system can only be read. Linux does this when the SD card fails; a deliberate overlay shows as such and is left alone.',
      todo: 'Look at `sudo dmesg | grep -iE "mmc|ext4"`; save what matters, and replace the card. If it is meant to be so, put results.folder and profile.file elsewhere.',
    },
  },
  async run({ env, known, tell }) {
    const config = known.config;
    const written = [config?.results.folder, config?.profile.file && dirname(config.profile.file)];
    const paths = new Set([
      '/',
      ...written.filter((path) => path !== undefined && path !== '').map((path) => existing(String(path))),
    ]);
    const mounts = parseMounts((await read(env, '/proc/mounts')) ?? '');
    const seen = new Set<string>();
    const rooms: string[] = [];
    let fine = true;
    for (const path of paths) {
      const mount = mountOf(mounts, path);
      if (mount && seen.has(mount.at)) continue;
      if (mount) seen.add(mount.at);
      if (mount?.options.includes('ro')) {
        fine = false;
        tell('disk_read_only', `${mount.at} (${mount.device}) is mounted read-only`, { path: mount.at });
        continue;
      }
      fine = (await room(env, path, tell, rooms)) && fine;
    }
    if (fine) tell('disk_ok', rooms.join('; '));
  },
});

async function room(
  env: Environment,
  path: string,
  tell: (
    id: 'disk_full' | 'disk_low' | 'disk_no_inodes',
    what: string,
    values: Record<string, string | number>,
  ) => void,
  rooms: string[],
): Promise<boolean> {
  const { bytes, freeBytes, files, freeFiles } = await env.space(path);
  const free = `${Math.round(freeBytes / MIB)} MB of ${Math.round(bytes / MIB)} MB free on ${path}`;
  rooms.push(free);
  const values = { path, free_mb: Math.round(freeBytes / MIB), mb: Math.round(bytes / MIB) };
  if (freeBytes < NONE) tell('disk_full', free, values);
  else if (files > 0 && freeFiles < files * FEW_FILES)
    tell('disk_no_inodes', `${freeFiles} of ${files} inodes free on ${path}`, values);
  else if (freeBytes < LITTLE) tell('disk_low', free, values);
  else return true;
  return false;
}

interface Mount {
  device: string;
  at: string;
  options: string[];
}

function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [device, at, , options] = line.split(' ');
    return options === undefined ? [] : [{ device, at: at.replaceAll('\\040', ' '), options: options.split(',') }];
  });
}

/** The mount that a path lies on: the one with the longest path above it, the last of several. */
function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  const above = mounts.filter(({ at }) => at === '/' || path === at || path.startsWith(`${at}/`));
  return above.reduce<Mount | undefined>(
    (best, one) => (!best || one.at.length >= best.at.length ? one : best),
    undefined,
  );
}

/** The folder itself, or the nearest above it that is there already. */
function existing(path: string): string {
  let at = path;
  while (!existsSync(at) && at !== dirname(at)) at = dirname(at);
  return at;
}
