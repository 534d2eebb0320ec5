import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import type { Net } from './net.js';

const run = promisify(execFile);
const PREFIX = 'deepcod-links-';
const DEVICE = '10.213.0.1';
const EDGE = '10.213.0.2';

/** How much a shaper may let through at once: what leaves in a millisecond, at least two packets. */
const burstBytes = (mbps: number) => Math.max(3200, Math.round(mbps * 125));
/** What waits before it, as in a router: a tenth of a second, at least 32 KB. */
const queueBytes = (mbps: number) => Math.max(32 * 1024, Math.round(mbps * 12_500)) + burstBytes(mbps);

/** Whether a process is there. */
function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Namespaces of benches that were killed before they could remove theirs, with what still runs in them. */
function sweep(): void {
  const names = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' }).split('\n');
  for (const name of names.map((line) => line.split(' ')[0]).filter((name) => name.startsWith(PREFIX))) {
    if (alive(Number(name.slice(PREFIX.length).split('-')[0]))) continue;
    for (const pid of execFileSync('ip', ['netns', 'pids', name], { encoding: 'utf8' }).split('\n').filter(Boolean)) {
      process.kill(Number(pid), 'SIGKILL');
    }
    execFileSync('ip', ['netns', 'del', name]);
  }
}

/**
 * Two network namespaces, a device's and an edge's, with one cable between them whose two ends `tc tbf` shapes. Real TCP of
 * this kernel; nothing of it can leave. They go when it is closed, when the process exits, and at the latest when the
 * next bench starts.
 * @throws Error of the command that this machine does not have or does not allow
 */
export async function openNamespaces(): Promise<Net> {
  sweep();
  const names = { device: `${PREFIX}${process.pid}-device`, edge: `${PREFIX}${process.pid}-edge` };
  const ends = { device: 'device0', edge: 'edge0' };
  const remove = (): void => {
    for (const name of Object.values(names)) {
      try {
        execFileSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
      } catch {
        // Not there, or not any more.
      }
    }
  };
  process.once('exit', remove);
  const close = async (): Promise<void> => {
    process.off('exit', remove);
    remove();
  };
  const shape = async (mbps: number): Promise<null> => {
    const tbf = ['rate', `${mbps}mbit`, 'burst', `${burstBytes(mbps)}`, 'limit', `${queueBytes(mbps)}`];
    for (const side of ['device', 'edge'] as const) {
      await run('tc', ['-n', names[side], 'qdisc', 'replace', 'dev', ends[side], 'root', 'tbf', ...tbf]);
    }
    return null;
  };
  try {
    for (const name of Object.values(names)) await run('ip', ['netns', 'add', name]);
    const peer = ['peer', 'name', ends.edge, 'netns', names.edge];
    await run('ip', ['link', 'add', ends.device, 'netns', names.device, 'type', 'veth', ...peer]);
    for (const [side, address] of [['device', DEVICE] as const, ['edge', EDGE] as const]) {
      await run('ip', ['-n', names[side], 'addr', 'add', `${address}/24`, 'dev', ends[side]]);
      await run('ip', ['-n', names[side], 'link', 'set', ends[side], 'up']);
      await run('ip', ['-n', names[side], 'link', 'set', 'lo', 'up']);
      // One link's congestion window says nothing about the next one.
      const forget = 'echo 1 > /proc/sys/net/ipv4/tcp_no_metrics_save';
      await run('ip', ['netns', 'exec', names[side], 'sh', '-c', forget]);
    }
    await shape(100);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    kind: 'namespaces',
    relayHost: EDGE,
    command: (side, argv) => ['ip', 'netns', 'exec', names[side], ...argv],
    shape,
    close,
  };
}
