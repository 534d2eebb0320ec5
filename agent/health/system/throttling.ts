import { THROTTLE_CAUSES, type ThrottleCause } from '../../../protocol/health.js';
import { type SystemFiles, toNumber } from './files.js';
import { Asked, type AskFirmware } from './firmware.js';

export interface Throttled {
  now: ThrottleCause[];
  since_boot: ThrottleCause[];
}

/**
 * Bits 0 to 3 are the present: under-voltage, the ARM's frequency capped, throttled, soft temperature limit. Bits 16 to 19
 * are the same since the firmware started.
 */
export function throttledOf(word: number): Throttled {
  const causes = (shift: number) => THROTTLE_CAUSES.filter((_, bit) => (word >>> (shift + bit)) & 1);
  return { now: causes(0), since_boot: causes(16) };
}

/** The word in the firmware's answer to `vcgencmd get_throttled`; undefined where there is none. */
export function wordOf(answer: string): number | undefined {
  return toNumber(/throttled=(0x[0-9a-f]{1,8})\s*$/i.exec(answer)?.[1]);
}

/**
 * The word as kernels of Raspberry Pi OS show it: `soc/soc:firmware/get_throttled`, hexadecimal. What the bus is called
 * depends on the model.
 */
export function kernelWord(files: SystemFiles): number | undefined {
  const platform = 'sys/devices/platform';
  for (const bus of files.names(platform).filter((name) => /^(soc|axi)/.test(name))) {
    const text = files.text(`${platform}/${bus}/${bus}:firmware/get_throttled`);
    const word = text === undefined ? undefined : toNumber(text.startsWith('0x') ? text : `0x${text}`);
    if (word !== undefined) return word;
  }
  return undefined;
}

/** What throttles a Raspberry Pi, asked in the cheapest way that it has. On other machines nothing is ever known. */
export class Throttling {
  readonly #asked: Asked<Throttled>;
  #wasLow = false;

  constructor(
    readonly files: SystemFiles,
    ask: AskFirmware,
  ) {
    this.#asked = new Asked(ask, 'get_throttled', (answer) => {
      const word = wordOf(answer);
      return word === undefined ? undefined : throttledOf(word);
    });
  }

  /** What is known. Never throws. @param isPi whether asking makes sense @param now performance.now() */
  read(isPi: boolean, now: number): Throttled | undefined {
    const word = kernelWord(this.files);
    if (word !== undefined) return throttledOf(word);
    return (isPi ? this.#asked.latest(now) : undefined) ?? this.#lowVoltage();
  }

  /** The kernel's own sensor tells of low voltage alone; what was before this process, nobody knows. */
  #lowVoltage(): Throttled | undefined {
    for (const name of this.files.names('sys/class/hwmon')) {
      const folder = `sys/class/hwmon/${name}`;
      if (this.files.text(`${folder}/name`) !== 'rpi_volt') continue;
      const alarm = this.files.number(`${folder}/in0_lcrit_alarm`);
      if (alarm === undefined) continue;
      this.#wasLow ||= alarm > 0;
      const low = (is: boolean): ThrottleCause[] => (is ? ['under_voltage'] : []);
      return { now: low(alarm > 0), since_boot: low(this.#wasLow) };
    }
    return undefined;
  }
}
