import { api } from '../api.js';
import { h, svg } from '../parts/dom.js';
import { bytes, count, ms, place, text } from '../parts/format.js';
import { load } from '../parts/load.js';
import { timeOf, when } from '../parts/time.js';
import { t } from '../t.js';
import { sentence } from '../technical/decision.js';

const HOURS = 24;
const SPAN_MS = HOURS * 3_600_000;
const STEP_S = 900;
const REFRESH_MS = 60_000;
const WIDE = 960;
const HIGH = 120;
const CHANGES = 50;

/** The last day of a camera in figures: bytes, time, frames; and when the point of the cut changed, with the reason. */
export function dayFigures(camera, scope) {
  const place = h('div', {});
  const path = `/cameras/${encodeURIComponent(camera)}`;
  const again = load(
    place,
    async () => {
      const to = Date.now();
      const query = { from: to - SPAN_MS, to };
      const [{ samples, step_s }, { changes }] = await Promise.all([
        api(`${path}/samples`, { query: { ...query, step_s: STEP_S }, signal: scope.signal }),
        api(`${path}/changes`, { query: { ...query, limit: CHANGES }, signal: scope.signal }),
      ]);
      return { samples, step_s, changes, to };
    },
    show,
    scope,
  );
  scope.every(REFRESH_MS, again);
  return h(
    'section',
    { class: 'panel day', 'aria-labelledby': 'day-title' },
    h('h2', { id: 'day-title' }, t('day.title')),
    place,
  );
}

function show({ samples, step_s, changes, to }) {
  if (samples.length === 0) return h('p', { class: 'quiet' }, t('day.nothing'));
  const sum = (pick) => samples.reduce((all, sample) => all + (pick(sample) ?? 0), 0);
  const results = sum((one) => one.results);
  const sent = sum((one) => one.bytes);
  const series = [
    ['results', (one) => one.results, (value) => count(value), count(results)],
    [
      'bytes',
      (one) => (one.results > 0 ? one.bytes / one.results : undefined),
      (value) => text(bytes(value)),
      t('day.sent', { size: text(bytes(sent)) }),
    ],
    ['time', (one) => one.p95_ms, (value) => text(ms(value)), ''],
  ];
  return [
    h(
      'div',
      { class: 'day-charts' },
      series.map(([name, pick, words, all]) => chart(name, samples, pick, words, all, { step_s, to })),
    ),
    changes.length > 0 && changeList(changes),
  ].filter(Boolean);
}

function chart(name, samples, pick, words, all, { step_s, to }) {
  const values = samples
    .map((sample) => ({ at: sample.at, value: pick(sample) }))
    .filter(({ value }) => value !== undefined);
  const top = Math.max(1e-9, ...values.map(({ value }) => value));
  const wide = (step_s * 1000 * WIDE) / SPAN_MS;
  const bars = values.map(({ at, value }) => {
    const high = (value / top) * HIGH;
    const bar = svg('rect', {
      x: ((at - to + SPAN_MS) / SPAN_MS) * WIDE,
      y: HIGH - high,
      width: Math.max(2, wide - 1),
      height: high,
    });
    bar.append(svg('title', {}, `${when(at)}: ${words(value)}`));
    return bar;
  });
  const title = t(`day.${name}`);
  const label = t('day.label', { title, top: words(top) });
  return h(
    'figure',
    { class: 'day-chart' },
    h(
      'figcaption',
      {},
      h('h3', {}, title),
      h('span', { class: 'quiet small' }, t('day.top', { top: words(top) }), all && ` · ${all}`),
    ),
    svg('svg', { viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label }, bars),
    h('p', { class: 'quiet small axis' }, h('span', {}, t('day.ago', { n: HOURS })), h('span', {}, t('day.now'))),
  );
}

function changeList(changes) {
  return h(
    'details',
    {},
    h('summary', {}, t('day.changes', { n: changes.length })),
    h(
      'ol',
      { class: 'changes plain' },
      changes.map(({ at, partition, rate, why }) =>
        h('li', {}, timeOf(at), ': ', place(partition, rate), '. ', why ? sentence(why) : t('changes.unknown')),
      ),
    ),
  );
}
