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

/** Bits per second, with the unit apart. */
export function bits(value) {
  if (!Number.isFinite(value)) return ['–', ''];
  if (value >= 1e9) return [(value / 1e9).toFixed(1), 'Gbit/s'];
  if (value >= 1e6) return [(value / 1e6).toFixed(1), 'Mbit/s'];
  return [String(Math.round(value / 1000)), 'kbit/s'];
}

export const text = ([number, unit]) => (unit ? `${number}\u202f${unit}` : number);

const whole = new Intl.NumberFormat('en');
export const count = (value) => (Number.isFinite(value) ? whole.format(value) : '–');

export const clock = (at) => new Date(at).toLocaleTimeString([], { hour12: false });

/** `3 helmet, 1 head` */
export function found(counts) {
  const parts = Object.entries(counts ?? {})
    .sort((a, b) => b[1] - a[1])
    .map(([label, n]) => `${n} ${label}`);
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}

export function place(partition, rate) {
  if (!partition) return '–';
  if (partition === 'raw' || partition === 'device') return partition;
  return rate === undefined ? partition : `${partition}, rate ${rate}`;
}

export function ago(milliseconds) {
  const s = Math.max(0, Math.round(milliseconds / 1000));
  if (s < 60) return `${s} s ago`;
  if (s < 3600) return `${Math.round(s / 60)} min ago`;
  return `${Math.round(s / 3600)} h ago`;
}

export function median(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length === 0) return Number.NaN;
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** What a cause of a loss means, in words. */
const CAUSES = {
  superseded: 'a newer picture took its place',
  timeout: 'no answer in time',
  unsent: 'the connection took no more',
  broker_lost: 'the connection to the broker broke',
  failed: 'the frame failed on the device',
  result_late: 'the answer came too late',
  result_damaged: 'the answer could not be read',
  result_unsent: 'a result of the device, while the broker was away',
  store_full: 'a kept result that made room for newer ones',
  store_failed: 'a result that could not be kept on the device',
  store_refused: 'a kept result that the broker refused again and again',
  store_damaged: 'a kept result that was damaged on the disk',
  overloaded: 'the edge had newer frames to do',
  stale: 'the frame waited too long at the edge',
  expired: 'the frame waited too long at the edge',
  unknown_bundle: 'the edge has no such bundle',
  bad_payload: 'the payload did not decode',
  bad_frame: 'the frame message was wrong',
  internal: 'the edge failed',
};

export function cause(name) {
  if (CAUSES[name]) return CAUSES[name];
  if (name.startsWith('refused_'))
    return `refused by the edge: ${CAUSES[name.slice(8)] ?? name.slice(8).replaceAll('_', ' ')}`;
  return name.replaceAll('_', ' ');
}
