import type { SystemHealth } from '../../protocol/health.js';
import { SystemFiles } from './system/files.js';
import { Asked, type AskFirmware, vcgencmd } from './system/firmware.js';
import {
  readMemory,
  readModel,
  readReadOnlyRoot,
  readTemperature,
  readTicks,
  readWifi,
  type Ticks,
} from './system/machine.js';
import { powerOf } from './system/power.js';
import { Throttling } from './system/throttling.js';

/** How often the machine is looked at, ms: a dozen small files of /proc and /sys, half a millisecond in all. */
const EVERY_MS = 5000;
/** systemd-timesyncd makes this file when the clock is right. */
const SYNCHRONISED = 'run/systemd/timesync/synchronized';

/** Looks at the machine now and then, off the frames' path. */
export class SystemHealthReader {
  readonly #files: SystemFiles;
  readonly #throttling: Throttling;
  readonly #power: Asked<number>;
  readonly #timer: NodeJS.Timeout;
  readonly #model: string | undefined;
  #ticks: Ticks | undefined;
  #latest: SystemHealth = {};

  /**
   * @param folder where state is kept: its disk is the one that may fill up; default: the root's
   * @param root of /proc, /sys and /run
   */
  constructor(
    readonly folder = '/',
    root = '/',
    ask: AskFirmware = vcgencmd,
  ) {
    this.#files = new SystemFiles(root);
    this.#throttling = new Throttling(this.#files, ask);
    this.#power = new Asked(ask, 'pmic_read_adc', powerOf);
    this.#model = readModel(this.#files);
    this.read();
    this.#timer = setInterval(() => this.read(), EVERY_MS).unref();
  }

  /** As it was seen last. */
  get latest(): SystemHealth {
    return this.#latest;
  }

  /** Looks now. Never throws. @param now performance.now() */
  read(now = performance.now()): SystemHealth {
    const files = this.#files;
    const throttled = this.#throttling.read(this.#model?.includes('Raspberry Pi') ?? false, now);
    const all: SystemHealth = {
      model: this.#model,
      temperature_c: readTemperature(files),
      throttled,
      power_w: this.#model?.startsWith('Raspberry Pi 5') ? this.#power.latest(now) : undefined,
      cpu: this.#cpu(),
      load1: firstNumber(files.text('proc/loadavg')),
      ...readMemory(files),
      disk_free_bytes: files.free(this.folder),
      wifi: readWifi(files),
      uptime_s: firstNumber(files.text('proc/uptime')),
      clock_synchronised: this.#clock(),
      read_only_root: readReadOnlyRoot(files),
    };
    this.#latest = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    return this.#latest;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Busy share since the last look. */
  #cpu(): number | undefined {
    const before = this.#ticks;
    const ticks = readTicks(this.#files);
    this.#ticks = ticks;
    if (!before || !ticks || ticks.all <= before.all) return undefined;
    const share = (ticks.busy - before.busy) / (ticks.all - before.all);
    return Math.round(Math.min(1, Math.max(0, share)) * 1000) / 1000;
  }

  /** Known only where timesyncd runs: other programs leave no such file. */
  #clock(): boolean | undefined {
    if (this.#files.names('run/systemd/timesync').length === 0) return undefined;
    return this.#files.text(SYNCHRONISED) !== undefined;
  }
}

function firstNumber(text: string | undefined): number | undefined {
  const value = Number.parseFloat(text ?? '');
  return Number.isFinite(value) ? value : undefined;
}
