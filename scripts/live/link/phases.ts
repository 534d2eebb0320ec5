import type { LinkState } from '../../../bench/link/relay.js';
import { usageError } from '../../../platform/main.js';

/** What the link is like for a while. */
export interface LinkPhase extends LinkState {
  /** Infinity for a last phase that was given none: it holds anyway. */
  durationMs: number;
}

const MBPS: Readonly<Record<string, number>> = { kbit: 1e-3, mbit: 1, gbit: 1e3 };
const MS: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 6e4 };
/** A day: timers reach a little further. */
const LONGEST_MS = 864e5;

/**
 * Phases separated by `;`, each `RATE[/DELAY],DURATION`; the last may leave out the duration.
 * @throws usageError that names the phase and what is allowed there
 */
export function parseLink(written: string): LinkPhase[] {
  const phases = written.split(';').map((phase) => phase.trim());
  return phases.map((text, i) => {
    const wrong = (what: string) => {
      const where = phases.length > 1 ? `phase ${i + 1}, "${text}"` : `"${text}"`;
      return usageError(`--link: ${where}: ${what}`);
    };
    if (text === '') throw wrong('empty; a phase is RATE[/DELAY],DURATION, like 0.3mbit,10s');
    const [link, duration, ...rest] = text.split(',').map((part) => part.trim());
    if (rest.length > 0) throw wrong('one comma, before the duration; phases are separated by ";"');
    const [rate, delay, ...more] = link.split('/').map((part) => part.trim());
    if (more.length > 0) throw wrong('one "/", before the delay');
    const up = rate.toLowerCase() !== 'off';
    if (!up && delay !== undefined) throw wrong('a link that is off has no delay');
    const mbps = up ? quantity(rate, MBPS, 1e-3, 1e5) : 0;
    if (mbps === undefined)
      throw wrong(`rate "${rate}": like 250kbit, 0.3mbit or 2gbit, from 1kbit to 100gbit, or off`);
    const delayMs = delay === undefined ? 0 : quantity(delay, MS, 0, 6e4);
    if (delayMs === undefined) throw wrong(`delay "${delay}": like 20ms or 0.1s, at most 1m`);
    const last = i === phases.length - 1;
    if (duration === undefined && !last) throw wrong('no duration; only the last phase may leave it out');
    const durationMs = duration === undefined ? Number.POSITIVE_INFINITY : quantity(duration, MS, 1, LONGEST_MS);
    if (durationMs === undefined) throw wrong(`duration "${duration}": like 500ms, 10s or 2m, from 1ms to 1440m`);
    return { mbps, delayMs, up, durationMs };
  });
}

/** A number with one of the units, or undefined. */
function quantity(
  written: string,
  units: Readonly<Record<string, number>>,
  least: number,
  most: number,
): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?) ?([a-z]+)$/i.exec(written) ?? [];
  if (number === undefined || !Object.hasOwn(units, unit.toLowerCase())) return undefined;
  const value = Number((Number(number) * units[unit.toLowerCase()]).toPrecision(12));
  return value >= least && value <= most ? value : undefined;
}

/** `10 Mbit/s, 20 ms one way`, `off` */
export function linkWords({ mbps, delayMs, up }: LinkState): string {
  if (!up) return 'off';
  const rate = mbps >= 1000 ? `${mbps / 1000} Gbit/s` : mbps >= 0.1 ? `${mbps} Mbit/s` : `${mbps * 1000} kbit/s`;
  return delayMs > 0 ? `${rate}, ${delayMs} ms one way` : rate;
}

/** `0.3 Mbit/s for 10 s`; the last phase is one that lasts. */
export function phaseWords(phase: LinkPhase, last: boolean): string {
  const { durationMs } = phase;
  const time = durationMs < 1000 ? `${durationMs} ms` : `${durationMs / 1000} s`;
  return `${linkWords(phase)} ${last ? 'from here on' : `for ${time}`}`;
}
