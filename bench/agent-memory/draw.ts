import type { Sample } from './samples.js';

const WIDTH = 760;
const HEIGHT = 380;
const LEFT = 60;
const RIGHT = 20;
const TOP = 40;
const BOTTOM = 50;

/** Memory over time as SVG: all of it, what of it is no file's, and the goal. */
export function drawMemory(samples: readonly Sample[], goalMb: number, title: string): string {
  const minutes = samples[samples.length - 1].s / 60;
  const top = Math.ceil(Math.max(goalMb, ...samples.map(({ rss_mb }) => rss_mb)) / 50) * 50 + 25;
  const x = (s: number) => LEFT + (s / 60 / minutes) * (WIDTH - LEFT - RIGHT);
  const y = (mb: number) => HEIGHT - BOTTOM - (mb / top) * (HEIGHT - TOP - BOTTOM);
  const line = (key: 'rss_mb' | 'anonymous_mb', colour: string) =>
    `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${samples
      .map((sample) => `${x(sample.s).toFixed(1)},${y(sample[key]).toFixed(1)}`)
      .join(' ')}"/>`;
  const label = (px: number, py: number, words: string, more = '') =>
    `<text x="${px}" y="${py}" ${more}>${words}</text>`;
  const steps = [...Array(Math.floor(top / 50) + 1).keys()].map((i) => i * 50);
  const step = [1, 2, 5, 10, 20, 60, 120].find((size) => minutes / size <= 8) ?? 240;
  const times = [...Array(Math.floor(minutes / step) + 1).keys()].map((i) => i * step);
  // Under the end of a line, where it does not run through the words.
  const under = (key: 'rss_mb' | 'anonymous_mb') => {
    const end = samples.slice(-Math.ceil(samples.length / 6));
    return y(Math.min(...end.map((sample) => sample[key]))) + 16;
  };
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
${label(LEFT, 22, title, 'font-size="14"')}
${steps.map((mb) => `<path d="M${LEFT} ${y(mb)}H${WIDTH - RIGHT}" stroke="#ddd"/>${label(LEFT - 8, y(mb) + 4, `${mb}`, 'text-anchor="end"')}`).join('\n')}
${times.map((at) => label(x(at * 60), HEIGHT - BOTTOM + 18, `${at}`, 'text-anchor="middle"')).join('\n')}
${label(WIDTH / 2, HEIGHT - 12, 'minutes', 'text-anchor="middle"')}
${label(12, TOP - 8, 'MB')}
<path d="M${LEFT} ${y(goalMb)}H${WIDTH - RIGHT}" stroke="#c00" stroke-dasharray="6 4"/>
${label(WIDTH - RIGHT, y(goalMb) - 6, `goal ${goalMb} MB`, 'text-anchor="end" fill="#c00"')}
${line('rss_mb', '#06c')}
${line('anonymous_mb', '#999')}
${label(WIDTH - RIGHT, under('rss_mb'), 'resident', 'text-anchor="end" fill="#06c"')}
${label(WIDTH - RIGHT, under('anonymous_mb'), 'of it anonymous', 'text-anchor="end" fill="#777"')}
</svg>
`;
}
