import { t } from '../t.js';
import { h } from './dom.js';

const DAY_MS = 86_400_000;
const clockFormat = new Intl.DateTimeFormat([], { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const dayFormat = new Intl.DateTimeFormat([], { weekday: 'short', day: 'numeric', month: 'short' });
const yearFormat = new Intl.DateTimeFormat([], { day: 'numeric', month: 'short', year: 'numeric' });
const shortZone = new Intl.DateTimeFormat([], { timeZoneName: 'short' });
const exactFormat = new Intl.DateTimeFormat([], { dateStyle: 'full', timeStyle: 'long' });

/** `today, 14:02:11`, `Fri 20 Nov, 14:02:11`, in the zone of who looks. */
export function when(at, now = Date.now()) {
  return `${dayWords(at, now)}, ${clockFormat.format(at)}`;
}

export function dayWords(at, now) {
  const days = Math.round((startOfDay(now) - startOfDay(at)) / DAY_MS);
  if (days === 0) return t('time.today');
  if (days === 1) return t('time.yesterday');
  return (Math.abs(days) < 300 ? dayFormat : yearFormat).format(at);
}

/** Where the times of the page are from: `Times: Europe/Berlin, GMT+1`. */
export function zoneWords(now = Date.now()) {
  const { timeZone } = exactFormat.resolvedOptions();
  const short = shortZone.formatToParts(now).find(({ type }) => type === 'timeZoneName')?.value;
  return t('time.zone', {
    zone: [timeZone, short].filter((name, i, all) => name && all.indexOf(name) === i).join(', '),
  });
}

export const exact = (at) => exactFormat.format(at);

export function startOfDay(at) {
  const day = new Date(at);
  day.setHours(0, 0, 0, 0);
  return day.getTime();
}

/** An element that says when, with the exact time and its zone as title. @param words default: `when` */
export function timeOf(at, words = when(at)) {
  return h('time', { datetime: new Date(at).toISOString(), title: exact(at) }, words);
}

/** `42 s`, `3 min`, `2 h 5 min` */
export function lasted(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return t('time.seconds', { n: s });
  if (s < 3600) return t('time.minutes', { n: Math.round(s / 60) });
  const [hours, minutes] = [Math.floor(s / 3600), Math.floor((s % 3600) / 60)];
  if (hours >= 48) return t('time.days', { n: Math.round(hours / 24) });
  return minutes === 0 ? t('time.hours', { n: hours }) : t('time.hours_minutes', { hours, minutes });
}
