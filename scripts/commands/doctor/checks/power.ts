import { SystemFiles } from '../../../../agent/health/system/files.js';
import { kernelWord, throttledOf, wordOf } from '../../../../agent/health/system/throttling.js';
import type { ThrottleCause } from '../../../../protocol/health.js';
import { defineCheck } from '../check.js';
import { boardModel, type Environment } from '../environment.js';

export const powerCheck = defineCheck({
  name: 'power',
  title: 'power supply',
  group: 'device',
  timeoutMs: 4000,
  findings: {
    power_ok: {
      status: 'pass',
      means: 'The supply was good since the device was started, and nothing slows the processor down.',
    },
    undervoltage_now: {
      status: 'failure',
      symptom: 'slow',
      means:
        'The supply gives too little voltage right now: the firmware slows the processor down, and the SD card may be damaged.',
      todo: 'Use the supply made for this board and a short, thick cable (USB cables are the usual cause); take other USB devices off. Then `sudo reboot` and `vcgencmd get_throttled`.',
    },
    undervoltage_before: {
      status: 'warning',
      symptom: 'slow',
      means: 'The voltage was too low at least once since the device was started, usually under load.',
      todo: 'As for under-voltage now: supply and cable. `sudo reboot` forgets what was; look again after an hour at work.',
    },
    throttled_now: {
      status: 'failure',
      symptom: 'slow',
      means: 'The firmware slows the processor down right now, for heat or power.',
      todo: 'See temperature and voltage here; shade it, let air to it, or fit a heat sink. `vcgencmd measure_temp`.',
    },
    throttled_before: {
      status: 'warning',
      symptom: 'slow',
      means: 'The processor was slowed down at least once since the device was started.',
      todo: 'Look at noon, or under load: `vcgencmd get_throttled`, `vcgencmd measure_temp`.',
    },
  },
  async run({ env, tell, skip }) {
    const word = await throttleWord(env);
    if (word === undefined) {
      const board = await boardModel(env);
      return skip(
        board ? `${board}: its firmware does not answer` : 'no Raspberry Pi: its firmware would tell',
        board && '`sudo apt install raspi-utils-core`, and run this as root.',
      );
    }
    const values = { throttled: `0x${word.toString(16)}` };
    const { now, since_boot } = throttledOf(word);
    const low = (causes: ThrottleCause[]) => causes.includes('under_voltage');
    if (low(now)) tell('undervoltage_now', `under-voltage now (${values.throttled})`, values);
    else if (low(since_boot))
      tell('undervoltage_before', `under-voltage since the start (${values.throttled})`, values);
    if (slowed(now)) tell('throttled_now', `${slowed(now)} now (${values.throttled})`, values);
    else if (slowed(since_boot))
      tell('throttled_before', `${slowed(since_boot)} since the start (${values.throttled})`, values);
    if (word === 0) tell('power_ok', 'no under-voltage, not throttled since the start', values);
  },
});

const WORDS: Record<ThrottleCause, string> = {
  under_voltage: '',
  frequency_capped: 'frequency capped',
  throttled: 'throttled',
  soft_temperature_limit: 'at the soft temperature limit',
};

/** How the processor is slowed down, in words; empty where it is not. */
const slowed = (causes: ThrottleCause[]): string =>
  causes
    .map((cause) => WORDS[cause])
    .filter((word) => word !== '')
    .join(', ');

/** The firmware's flags, from the kernel or, where that does not show them, from the firmware itself. */
async function throttleWord(env: Environment): Promise<number | undefined> {
  return kernelWord(new SystemFiles(env.root)) ?? wordOf((await env.askFirmware('get_throttled')) ?? '');
}
