import { defineCheck } from '../check.js';
import { read } from '../environment.js';

const KIB_PER_MIB = 1024;
const LITTLE_MIB = 60;
const SWAPPED_MIB = 100;
/** Share of the last minute in which something waited for memory, percent. */
const PRESSURE = 10;

export const memoryCheck = defineCheck({
  name: 'memory',
  title: 'memory',
  group: 'device',
  timeoutMs: 2000,
  findings: {
    memory_ok: { status: 'pass', means: 'There is memory left, and no program was ended for lack of it.' },
    memory_low: {
      status: 'warning',
      symptom: 'slow',
      means:
        'Hardly any memory is left, or programs wait for memory. Inference slows down, and the system may end a program.',
      todo: 'See who takes it: `ps aux --sort=-rss | head`; use a smaller bundle, or results.megabytes less; a desktop needs none here: `sudo systemctl set-default multi-user.target`.',
    },
    memory_swapping: {
      status: 'warning',
      symptom: 'slow',
      means: 'Programs were moved from memory to the SD card, which is slow and wears it out.',
      todo: '`ps aux --sort=-rss | head`; take away what is not needed.',
    },
    memory_killed: {
      status: 'failure',
      symptom: 'silent',
      means: 'The system has ended programs for lack of memory since the start; the agent may have been one of them.',
      todo: '`journalctl -k -b | grep -i "out of memory"`; `systemctl status deepcod-agent`; use a smaller bundle.',
    },
  },
  async run({ env, tell, skip }) {
    const info = parse((await read(env, '/proc/meminfo')) ?? '');
    if (info.MemAvailable === undefined) return skip('/proc/meminfo cannot be read');
    const killed = parse((await read(env, '/proc/vmstat')) ?? '').oom_kill ?? 0;
    const pressure = Number(
      /some avg10=\S+ avg60=(\S+)/.exec((await read(env, '/proc/pressure/memory')) ?? '')?.[1] ?? 0,
    );
    const mib = (kib = 0) => Math.round(kib / KIB_PER_MIB);
    const available = mib(info.MemAvailable);
    const swapped = mib((info.SwapTotal ?? 0) - (info.SwapFree ?? 0));
    const what = `${available} MB of ${mib(info.MemTotal)} MB available, ${swapped} MB swapped`;
    const values = { available_mb: available, swapped_mb: swapped, pressure_percent: pressure };
    if (killed > 0)
      tell('memory_killed', `${killed} programs ended for lack of memory since the start`, { ...values, killed });
    if (available < LITTLE_MIB || pressure >= PRESSURE) tell('memory_low', what, values);
    else if (swapped > SWAPPED_MIB) tell('memory_swapping', what, values);
    else if (killed === 0) tell('memory_ok', what, values);
  },
});

/** `Name:  123 kB` and `name 123` lines. */
function parse(text: string): Record<string, number> {
  const pairs = text.split('\n').map((line) => /^(\w+):?\s+(\d+)/.exec(line));
  return Object.fromEntries(pairs.flatMap((pair) => (pair ? [[pair[1], Number(pair[2])] as const] : [])));
}
