import { defineCheck } from '../check.js';
import { boardModel, type Environment, list, read } from '../environment.js';

/** Bits of the firmware's answer: raspberrypi.com/documentation/computers/os.html#get_throttled. */
const NOW = { undervoltage: 0x1, capped: 0x2, throttled: 0x4, soft_limit: 0x8 };
/** The same since the device was started. */
const SINCE_BOOT = 16;

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
    const was = word >> SINCE_BOOT;
    const slow = NOW.capped | NOW.throttled | NOW.soft_limit;
    if (word & NOW.undervoltage) tell('undervoltage_now', `under-voltage now (${values.throttled})`, values);
    else if (was & NOW.undervoltage)
      tell('undervoltage_before', `under-voltage since the start (${values.throttled})`, values);
    if (word & slow) tell('throttled_now', `${names(word)} now (${values.throttled})`, values);
    else if (was & slow) tell('throttled_before', `${names(was)} since the start (${values.throttled})`, values);
    if (word === 0) tell('power_ok', 'no under-voltage, not throttled since the start', values);
  },
});

const names = (word: number): string =>
  [
    [NOW.capped, 'frequency capped'],
    [NOW.throttled, 'throttled'],
    [NOW.soft_limit, 'at the soft temperature limit'],
  ]
    .filter(([bit]) => word & (bit as number))
    .map(([, name]) => name)
    .join(', ');

/** The firmware's flags, from vcgencmd or from the kernel. */
async function throttleWord(env: Environment): Promise<number | undefined> {
  const { stdout } = await env.run('vcgencmd', ['get_throttled'], 3000);
  const told = /throttled=0x([0-9a-f]+)/i.exec(stdout)?.[1];
  const kernel = told ?? (await kernelWord(env));
  const word = kernel === undefined ? Number.NaN : Number.parseInt(kernel, 16);
  return Number.isNaN(word) ? undefined : word;
}

/** What the kernel shows of it; how the bus is called depends on the model. */
async function kernelWord(env: Environment): Promise<string | undefined> {
  const platform = '/sys/devices/platform';
  const buses = (await list(env, platform)).filter((name) => /^(soc|axi)/.test(name));
  const words = await Promise.all(buses.map((bus) => read(env, `${platform}/${bus}/${bus}:firmware/get_throttled`)));
  return words.find((word) => word !== undefined);
}
