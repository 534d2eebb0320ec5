import { has, locale, t } from '../t.js';

/** How numbers, times and names are written on the page. */

/** Bytes, with the unit apart: `['5.2', 'KB']`. */
export function bytes(value) {
  if (!Number.isFinite(value)) return ['–', ''];
  if (value < 1000) return [String(Math.round(value)), 'B'];
  if (value < 999_950) return [(value / 1000).toFixed(value < 99_950 ? 1 : 0), 'KB'];
  return [(value / 1e6).toFixed(value < 99.95e6 ? 1 : 0), 'MB'];
}

/** Milliseconds, with the unit apart. */
export function ms(value) {
  if (!Number.isFinite(value)) return ['–', ''];
  if (value >= 9995) return [(value / 1000).toFixed(1), 's'];
  if (value >= 99.95) return [String(Math.round(value)), 'ms'];
  return [value.toFixed(value < 9.95 ? (value < 0.095 ? 2 : 1) : value < 99.95 ? 1 : 0), 'ms'];
}

export const text = ([number, unit]) => (unit ? `${number}\u202f${unit}` : number);

const whole = new Intl.NumberFormat(locale);
export const count = (value) => (Number.isFinite(value) ? whole.format(value) : '–');

export const clock = (at) => new Date(at).toLocaleTimeString();

/** `3 helmet, 1 head` */
export function found(counts) {
  const parts = Object.entries(counts ?? {})
    .sort((a, b) => b[1] - a[1])
    .map(([label, n]) => `${n} ${label}`);
  return parts.length === 0 ? t('found.nothing') : parts.join(', ');
}

export function place(partition, rate) {
  if (!partition) return '–';
  if (partition === 'raw' || partition === 'device') return partition;
  return rate === undefined ? partition : t('place', { partition, rate });
}

export function ago(milliseconds) {
  const s = Math.max(0, Math.round(milliseconds / 1000));
  if (s < 60) return t('ago.seconds', { n: s });
  if (s < 3600) return t('ago.minutes', { n: Math.round(s / 60) });
  return t('ago.hours', { n: Math.round(s / 3600) });
}

export function median(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length === 0) return Number.NaN;
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** What a cause of a loss means, in words; one that came with a newer device is shown as it is. */
export function cause(name) {
  if (has(`cause.${name}`)) return t(`cause.${name}`);
  if (name.startsWith('refused_')) return t('cause.refused', { cause: cause(name.slice(8)) });
  return name.replaceAll('_', ' ');
}
