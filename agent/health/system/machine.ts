import type { SystemHealth } from '../../../protocol/health.js';
import { type SystemFiles, toNumber } from './files.js';

/** What the board is: a Raspberry Pi says it in its device tree, with a zero byte behind. */
export function readModel(files: SystemFiles): string | undefined {
  return files.text('proc/device-tree/model')?.replaceAll('\0', '').trim().slice(0, 128) || undefined;
}

/** The processor's temperature, degrees Celsius. */
export function readTemperature(files: SystemFiles): number | undefined {
  const zones = files.names('sys/class/thermal').filter((name) => name.startsWith('thermal_zone'));
  const folder = (name: string) => `sys/class/thermal/${name}`;
  const cpu = zones.find((name) => /cpu|soc|x86_pkg/.test(files.text(`${folder(name)}/type`) ?? '')) ?? zones[0];
  const milli = cpu === undefined ? undefined : files.number(`${folder(cpu)}/temp`);
  return milli === undefined ? undefined : Math.round(milli / 100) / 10;
}

/** /proc/meminfo; bytes. */
export function readMemory(files: SystemFiles): Pick<SystemHealth, 'memory' | 'swap_used'> {
  const text = files.text('proc/meminfo') ?? '';
  const bytes = (key: string): number | undefined => {
    const kib = toNumber(new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]);
    return kib === undefined ? undefined : kib * 1024;
  };
  const [total, available] = [bytes('MemTotal'), bytes('MemAvailable')];
  const [swap, free] = [bytes('SwapTotal'), bytes('SwapFree')];
  return {
    ...(total !== undefined && available !== undefined && { memory: { total, available } }),
    ...(swap !== undefined && free !== undefined && { swap_used: swap - free }),
  };
}

/** The first wireless interface that is connected. Which network it is stays here. */
export function readWifi(files: SystemFiles): SystemHealth['wifi'] {
  // Two lines of heading, then `wlan0: 0000   61.  -49.  -256 ...`: status, quality of 70, signal in dBm.
  for (const line of (files.text('proc/net/wireless') ?? '').split('\n').slice(2)) {
    const [name, , link, level] = line.trim().split(/\s+/);
    const [quality, signal] = [toNumber(link?.replace(/\.$/, '')), toNumber(level?.replace(/\.$/, ''))];
    if (!name?.endsWith(':') || quality === undefined || signal === undefined || signal >= 0) continue;
    return {
      interface: name.slice(0, -1),
      signal_dbm: signal,
      quality: Math.round(Math.min(1, Math.max(0, quality / 70)) * 100) / 100,
    };
  }
  return undefined;
}

/** Whether the root file system is mounted read-only. What is mounted last counts. */
export function readReadOnlyRoot(files: SystemFiles): boolean | undefined {
  const root = (files.text('proc/self/mounts') ?? '')
    .split('\n')
    .map((line) => line.split(' '))
    .findLast(([, place]) => place === '/');
  return root?.[3]?.split(',').includes('ro');
}

/** Busy and all time of all processors since the start, in ticks. */
export interface Ticks {
  busy: number;
  all: number;
}

/** The first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice. */
export function readTicks(files: SystemFiles): Ticks | undefined {
  const [label, ...words] = (files.text('proc/stat') ?? '').split('\n', 1)[0].split(/\s+/);
  // a guest's time is in user's already
  const ticks = words.slice(0, 8).map(Number);
  if (label !== 'cpu' || ticks.length < 4 || !ticks.every(Number.isFinite)) return undefined;
  const all = ticks.reduce((sum, value) => sum + value, 0);
  return { busy: all - ticks[3] - (ticks[4] ?? 0), all };
}
