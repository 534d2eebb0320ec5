import { lasted } from '../parts/time.js';
import { locale, t } from '../t.js';

/** A day of the week, as the API counts them: 0 is Sunday. */
export const dayName = (day) => new Intl.DateTimeFormat([], { weekday: 'short' }).format(new Date(2024, 0, 7 + day));

/** Monday first. */
export const DAYS = [1, 2, 3, 4, 5, 6, 0];

/** A rule in one sentence. */
export function ruleWords(rule) {
  const { cameras, zone, seconds, schedule, severity, notify } = rule;
  const where = [
    zone && t('rules.in_zone', { zone }),
    cameras.length > 0 && t('rules.at_cameras', { cameras: list(cameras) }),
  ];
  return t('rules.sentence', {
    what: whatWords(rule),
    where: [
      where.filter(Boolean).join(' ') || t('rules.anywhere'),
      seconds > 0 && t('rules.for', { time: lasted(seconds * 1000) }),
    ]
      .filter(Boolean)
      .join(' '),
    when: schedule.length === 0 ? t('rules.always') : schedule.map(hoursWords).join(t('rules.and')),
    what_then: list([t(`rules.alert.${severity}`), ...notify.map((target) => t(`rules.target.${target}`))]),
  });
}

function whatWords({ type, labels, above }) {
  if (type === 'no_helmet') return t('rules.what.no_helmet');
  const things = labels.length === 0 ? t('rules.anything') : list(labels, 'disjunction');
  if (type === 'count') return t('rules.what.count', { n: above, things });
  return t('rules.what.presence', { things });
}

function hoursWords({ days, from, to }) {
  const names = days.length === 7 ? t('rules.every_day') : list(DAYS.filter((day) => days.includes(day)).map(dayName));
  return t('rules.hours', { days: names, from, to });
}

const list = (words, type = 'conjunction') => new Intl.ListFormat(locale, { type }).format(words);
