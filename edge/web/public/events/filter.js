import { h } from '../parts/dom.js';
import { startOfDay } from '../parts/time.js';
import { site } from '../site.js';
import { t } from '../t.js';

const DAY_MS = 86_400_000;
const SPANS = ['any', 'today', 'yesterday', 'week', 'own'];

/** Times of a span, as the API takes them. @param {Record<string, string>} query `span`; for `own` also `from` and `to` */
export function timesOf({ span, from, to }, now = Date.now()) {
  const today = startOfDay(now);
  if (span === 'today') return { from: today };
  if (span === 'yesterday') return { from: startOfDay(today - DAY_MS / 2), to: today };
  if (span === 'week') return { from: startOfDay(today - 6 * DAY_MS + DAY_MS / 2) };
  if (span === 'own') return { from: millis(from), to: millis(to) };
  return {};
}

const millis = (local) => {
  const at = new Date(local ?? '').getTime();
  return Number.isFinite(at) ? Math.max(0, at) : undefined;
};

/**
 * The form that searches events.
 * @param query what is searched for at first: {camera, label, zone, span, from, to}
 * @param choices {labels, zones}, names to choose from @param onChange gets the new query
 */
export function filterForm(query, { labels, zones }, onChange) {
  const select = (name, options) => {
    const known = options.some(([value]) => value === (query[name] ?? ''));
    const all = known ? options : [...options, [query[name], query[name]]];
    return h(
      'label',
      { class: 'field' },
      h('span', {}, t(`filter.${name}`)),
      h(
        'select',
        { name },
        all.map(([value, words]) => h('option', { value, selected: value === (query[name] ?? '') }, words)),
      ),
    );
  };
  const any = (name, values) => [['', t(`filter.any_${name}`)], ...values.map((value) => [value, value])];
  const time = (name) =>
    h(
      'label',
      { class: 'field own-time' },
      h('span', {}, t(`filter.${name}`)),
      h('input', { type: 'datetime-local', name, value: query[name] }),
    );
  const spans = SPANS.map((span) => [span === 'any' ? '' : span, t(`filter.span.${span}`)]);
  const form = h(
    'form',
    { class: 'filter', role: 'search', 'aria-label': t('filter.title') },
    select(
      'camera',
      any(
        'camera',
        site.sorted().map(({ name }) => name),
      ),
    ),
    select('label', any('label', labels)),
    select('zone', any('zone', zones)),
    select('span', spans),
    time('from'),
    time('to'),
  );
  const read = () => {
    const values = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ''));
    if (values.span !== 'own') for (const name of ['from', 'to']) delete values[name];
    form.dataset.span = values.span ?? '';
    return values;
  };
  read();
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('change', () => onChange(read()));
  return form;
}
