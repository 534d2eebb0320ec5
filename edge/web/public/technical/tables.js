import { $, h, refill, setHidden } from '../parts/dom.js';
import { ago, bytes, cause, clock, count, found, ms, place, text } from '../parts/format.js';
import { t } from '../t.js';
import { total } from './model.js';

const ROWS = 15;
const CAUSES = 12;
const ERRORS = 6;

/** The last frames of a camera. What was found is not known yet where the device has told a frame's times alone: its own result may still wait for the broker. */
export function results({ trips }) {
  const rows = trips.slice(-ROWS).reverse();
  refill($('results-body'), rows.map(({ sequence }) => sequence).join(), () =>
    rows.map((trip) =>
      h(
        'tr',
        {},
        h('td', {}, clock(trip.at)),
        h('td', { class: 'frame number' }, count(trip.frame)),
        h('td', {}, place(trip.partition, trip.rate)),
        h('td', { class: 'number' }, trip.bytes > 0 ? text(bytes(trip.bytes)) : t('none')),
        h('td', { class: 'coding' }, trip.coding ?? ''),
        h('td', { class: 'number' }, text(ms(total(trip)))),
        h('td', { class: 'found' }, trip.worker === '' ? '–' : found(trip.found)),
      ),
    ),
  );
}

/** What of a camera and of the edges was lost, and why. */
export function trouble(device, model) {
  drops([{ name: device.name, drops: device.health?.drops }, ...model.workers]);
  errors(device, model.now());
  edges(model.workers);
}

function drops(places) {
  const rows = places
    .flatMap(({ name, drops = {} }) => Object.entries(drops).map(([why, n]) => [name, cause(why), n]))
    .filter(([, , n]) => n > 0)
    .sort((a, b) => b[2] - a[2]);
  const shown = rows.slice(0, CAUSES);
  refill($('drops-body'), JSON.stringify(shown), () =>
    shown.map(([where, why, n]) =>
      h('tr', {}, h('td', {}, where), h('td', {}, why), h('td', { class: 'number' }, count(n))),
    ),
  );
  setHidden($('drops-body').parentElement, rows.length === 0);
  setHidden($('no-drops'), rows.length > 0);
}

function errors(device, now) {
  const shown = device.errors.toSorted((a, b) => b.at - a.at).slice(0, ERRORS);
  setHidden($('errors-title'), shown.length === 0);
  refill($('errors'), JSON.stringify([shown, Math.floor(now / 10_000)]), () =>
    shown.map(({ message, hint, code, count: n, at }) =>
      h(
        'li',
        {},
        h('strong', {}, message),
        hint ? ` ${hint}` : '',
        h('br'),
        h('span', { class: 'quiet small' }, t('trouble.error', { code, n, ago: ago(now - at) })),
      ),
    ),
  );
}

function edges(workers) {
  refill($('edges'), JSON.stringify(workers.map(edgeWords)), () =>
    workers.length === 0
      ? [h('li', { class: 'quiet' }, t('trouble.no_edge'))]
      : workers.map((worker) =>
          h(
            'li',
            {},
            h('strong', {}, worker.name),
            h(
              'span',
              { class: 'pill', 'data-state': worker.online ? 'good' : 'bad' },
              t(worker.online ? 'state.online' : 'state.offline'),
            ),
            h('span', { class: 'quiet' }, edgeWords(worker)),
          ),
        ),
  );
}

function edgeWords({ bundles, provider, results: answered }) {
  const names = (bundles ?? []).map((bundle) => bundle.name).join(', ');
  return [names, provider, answered === undefined ? '' : t('trouble.results', { n: answered })]
    .filter(Boolean)
    .join(' · ');
}
