import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Processes as `name (process 123)`. */
function processName(pid: number, proc: string): string {
  try {
    return `${readFileSync(join(proc, String(pid), 'comm'), 'utf8').trim()} (process ${pid})`;
  } catch {
    return `process ${pid}`;
  }
}

/**
 * Who holds a lock on one of these devices: libcamera locks the media device of a camera in use. Everybody's locks can be
 * seen, whoever asks.
 */
export function lockHolder(devices: readonly string[], proc = '/proc'): string | undefined {
  const inodes = new Set<number>();
  for (const device of devices) {
    try {
      inodes.add(statSync(device).ino);
    } catch {}
  }
  let locks: string;
  try {
    locks = readFileSync(join(proc, 'locks'), 'utf8');
  } catch {
    return undefined;
  }
  // 1: POSIX  ADVISORY  WRITE 1234 00:05:423 0 EOF
  for (const [, pid, inode] of locks.matchAll(/^\d+: POSIX +\S+ +\S+ +(\d+) [0-9a-f]+:[0-9a-f]+:(\d+) /gm)) {
    if (Number(pid) > 0 && Number(pid) !== process.pid && inodes.has(Number(inode)))
      return processName(Number(pid), proc);
  }
  return undefined;
}

/** Who has this device open, as far as this user may see. */
export function fileHolder(device: string, proc = '/proc'): string | undefined {
  let pids: string[];
  try {
    pids = readdirSync(proc).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  } catch {
    return undefined;
  }
  for (const pid of pids) {
    const folder = join(proc, pid, 'fd');
    try {
      for (const fd of readdirSync(folder)) {
        if (readlinkSync(join(folder, fd)) === device) return processName(Number(pid), proc);
      }
    } catch {}
  }
  return undefined;
}
