import { defineCheck } from '../check.js';
import { list, read } from '../environment.js';

/** Degrees at which a Raspberry Pi begins to slow down (soft limit and hard limit are 80 and 85). */
const HOT = 80;
const WARM = 75;

export const heatCheck = defineCheck({
  name: 'heat',
  title: 'temperature',
  group: 'device',
  timeoutMs: 2000,
  findings: {
    heat_ok: { status: 'pass', means: 'The processor is cool enough to run at full speed.' },
    warm: {
      status: 'warning',
      means: 'A few degrees below the limit at which the processor is slowed down: a hotter day is enough.',
      todo: 'Shade the case, let air through it, or fit a heat sink.',
    },
    hot: {
      status: 'failure',
      symptom: 'slow',
      means: 'At or above the limit at which the processor is slowed down.',
      todo: 'Shade the case, let air through it, fit a heat sink or a fan; fewer pictures a second (camera.fps) heat less.',
    },
  },
  async run({ env, tell, skip }) {
    const zones = (await list(env, '/sys/class/thermal')).filter((name) => name.startsWith('thermal_zone'));
    const readings = await Promise.all(zones.map((zone) => read(env, `/sys/class/thermal/${zone}/temp`)));
    const degrees = readings
      .map(Number)
      .filter((milli) => Number.isFinite(milli) && milli > 0)
      .map((milli) => milli / 1000);
    if (degrees.length === 0) return skip('no thermometer below /sys/class/thermal');
    const celsius = Math.max(...degrees);
    const what = `${celsius.toFixed(1)} °C`;
    tell(celsius >= HOT ? 'hot' : celsius >= WARM ? 'warm' : 'heat_ok', what, { celsius });
  },
});
