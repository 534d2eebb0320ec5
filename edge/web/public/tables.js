import { $, amount, h, refill, setHidden, setText } from './dom.js';
import { ago, bytes, cause, clock, count, found, median, ms, place, text } from './format.js';
import { total } from './model.js';

const ROWS = 15;

/** The figures above everything. */
export function totals(model) {
  const devices = [...model.devices.values()];
  const sum = (pick) => devices.reduce((all, device) => all + (pick(device) ?? 0), 0);
  const recent = devices.filter((d) => model.present(d)).flatMap((d) => d.trips.slice(-30));
  const drops = sum((d) => Object.values(d.health?.drops ?? {}).reduce((a, b) => a + b, 0));
  const here = devices.filter((device) => model.present(device)).length;
  const rows = [
    ['Devices online', here === devices.length ? count(here) : `${count(here)} of ${count(devices.length)}`],
    ['Frames', count(sum((d) => d.health?.frames ?? d.counts.frames ?? 0))],
    ['Results', count(sum((d) => d.health?.results ?? d.counts.results))],
    ['Lost and dropped', count(drops), drops > 0 ? 'some' : ''],
    ['Bytes per frame', bytes(median(recent.filter((t) => t.bytes > 0).map((t) => t.bytes)))],
    ['Picture to result', ms(median(recent.map(total)))],
    ['Results per second', sum((d) => (model.present(d) ? d.health?.fps : 0)).toFixed(1)],
  ];
  refill($('totals'), JSON.stringify(rows), () =>
    rows.map(([title, value]) =>
      h('div', {}, h('dt', {}, title), h('dd', {}, ...(Array.isArray(value) ? amount(value) : [value]))),
    ),
  );
}

/** What was found is not known yet where a device has told a frame's times alone: its own result may still wait for the broker. */
export function results(model, chosen) {
  const rows = [...model.devices.values()]
    .flatMap((device) => device.trips.slice(-ROWS).map((trip) => ({ device: device.name, trip })))
    .sort((a, b) => b.trip.at - a.trip.at || b.trip.frame - a.trip.frame)
    .slice(0, ROWS);
  const newest = rows[0] ? `${rows[0].device}/${rows[0].trip.sequence}/${rows.length}/${chosen}` : '';
  refill($('results-body'), newest, () =>
    rows.map(({ device, trip }) =>
      h(
        'tr',
        {},
        h('td', {}, clock(trip.at)),
        h('td', { class: 'device' }, device),
        h('td', { class: 'frame number' }, count(trip.frame)),
        h('td', {}, place(trip.partition, trip.rate)),
        h('td', { class: 'number' }, trip.bytes > 0 ? text(bytes(trip.bytes)) : 'none'),
        h('td', { class: 'coding' }, trip.coding ?? ''),
        h('td', { class: 'number' }, text(ms(total(trip)))),
        h('td', { class: 'found' }, trip.worker === '' ? '–' : found(trip.found)),
      ),
    ),
  );
}

export function trouble(model) {
  const rows = [];
  for (const { name, drops } of [
    ...model.sorted().map(({ name, health }) => ({ name, drops: health?.drops })),
    ...model.workers,
  ]) {
    for (const [why, n] of Object.entries(drops ?? {})) if (n > 0) rows.push([name, cause(why), n]);
  }
  rows.sort((a, b) => b[2] - a[2]);
  const shown = rows.slice(0, 12);
  refill($('drops-body'), JSON.stringify(shown), () =>
    shown.map(([where, why, n]) =>
      h('tr', {}, h('td', {}, where), h('td', {}, why), h('td', { class: 'number' }, count(n))),
    ),
  );
  setHidden($('drops-body').parentElement, rows.length === 0);
  setHidden($('no-drops'), rows.length > 0);

  const errors = model
    .sorted()
    .flatMap((device) => device.errors.map((error) => ({ device: device.name, ...error })))
    .sort((a, b) => b.at - a.at)
    .slice(0, 6);
  setHidden($('errors-title'), errors.length === 0);
  const now = model.now();
  refill($('errors'), JSON.stringify([errors, Math.floor(now / 10_000)]), () =>
    errors.map((error) =>
      h(
        'li',
        {},
        h('strong', {}, error.message),
        error.hint ? ` ${error.hint}` : '',
        h('br'),
        h(
          'span',
          { class: 'quiet small' },
          `${error.device}, ${error.code}, ${count(error.count)}\u00d7, ${ago(now - error.at)}`,
        ),
      ),
    ),
  );
  refill($('edges'), JSON.stringify(model.workers.map(edgeWords)), () =>
    model.workers.length === 0
      ? [h('li', { class: 'quiet' }, 'No edge has announced itself yet.')]
      : model.workers.map((worker) =>
          h(
            'li',
            {},
            h('strong', {}, worker.name),
            h(
              'span',
              { class: 'pill', 'data-state': worker.online ? 'good' : 'bad' },
              worker.online ? 'online' : 'away',
            ),
            h('span', { class: 'quiet' }, edgeWords(worker)),
          ),
        ),
  );
}

export function edgeWords({ online, bundles, provider, results: answered }) {
  const names = (bundles ?? []).map((bundle) => bundle.name).join(', ');
  const parts = [online ? '' : 'away', names, provider, answered === undefined ? '' : `${count(answered)} results`];
  return parts.filter(Boolean).join(' · ');
}

/** What to do while there is no device. */
export function empty(model) {
  const none = model.devices.size === 0;
  setHidden($('empty'), !none);
  if (!none || !model.heard) return;
  setText($('empty-title'), 'No device yet');
  const ready = model.workers.filter((worker) => worker.online);
  setText(
    $('empty-text'),
    ready.length > 0
      ? 'The edge is ready. A device shows up here by itself as soon as it says anything.'
      : 'A device shows up here by itself as soon as it says anything.',
  );
  setHidden($('empty-steps'), false);
  refill($('empty-edges'), JSON.stringify(ready.map(edgeWords)), () =>
    ready.map((worker) => h('li', { class: 'quiet' }, `${worker.name}: ${edgeWords(worker)}`)),
  );
}
