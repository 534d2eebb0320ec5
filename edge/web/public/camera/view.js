import { Looker } from '../live/looker.js';
import { $, h, refill, setHidden, setText } from '../parts/dom.js';
import { emptyState } from '../parts/empty.js';
import { bytes, ms, text } from '../parts/format.js';
import { Frame } from '../parts/frame.js';
import { icon } from '../parts/icon.js';
import { setStatePill, statePill } from '../parts/pills.js';
import { connect } from '../parts/stream.js';
import { link } from '../router.js';
import { site } from '../site.js';
import { t } from '../t.js';
import { Charts } from '../technical/charts.js';
import { Model } from '../technical/model.js';
import { technicalPart } from '../technical/part.js';
import { results, trouble } from '../technical/tables.js';
import { Why } from '../technical/why.js';
import { partitionForm } from './command.js';
import { dayFigures } from './day.js';
import { machineFacts, plainHealth } from './plain.js';
import { todaysEvents } from './today.js';

/** Between two updates of charts and tables, ms: pictures are faster. */
const CALM_MS = 400;

/** One camera: what it sees now, how it is, what it saw today, and the technical part. `#/camera/NAME` */
export function cameraView({ path: [name = ''] }, scope) {
  const frame = new Frame(name, scope);
  const pill = statePill();
  const found = h('p', { class: 'camera-found' });
  const alerts = h('a', { class: 'tile-alerts', href: link('alerts'), hidden: true });
  const health = h('ul', { class: 'plain health' });
  const facts = h('dl', { class: 'facts' });
  const technical = technicalPart();
  const picture = h('div', { class: 'camera-picture' }, frame.canvas);
  const details = h('details', { class: 'technical' }, h('summary', {}, h('h2', {}, t('camera.technical'))), technical);
  const known = h(
    'div',
    { class: 'camera' },
    h(
      'div',
      { class: 'camera-left' },
      h(
        'section',
        { class: 'camera-live', 'aria-label': t('camera.live') },
        picture,
        h('div', { class: 'camera-under' }, found, alerts),
      ),
      dayFigures(name, scope),
    ),
    h(
      'div',
      { class: 'camera-right' },
      h(
        'section',
        { class: 'panel camera-health', 'aria-labelledby': 'health-title' },
        h('h2', { id: 'health-title' }, t('camera.health')),
        health,
        facts,
      ),
      todaysEvents(name, scope),
    ),
    details,
  );
  const unknown = emptyState({
    title: t('camera.unknown', { name }),
    words: t('camera.unknown_words'),
    actions: [h('a', { class: 'button', href: link('live') }, t('camera.all'))],
  });
  unknown.hidden = true;
  const element = h(
    'div',
    {},
    h(
      'div',
      { class: 'view-head' },
      h('a', { class: 'icon-button', href: link('live'), 'aria-label': t('camera.all') }, icon('back')),
      h('h1', {}, name),
      pill,
      h('a', { class: 'button', href: link('zones', [name]) }, icon('zones'), t('nav.zones')),
    ),
    unknown,
    known,
  );

  new Looker(scope).watch(name, picture, (next) => {
    const words = frame.show(next);
    setText(found, words && t('camera.sees', { found: words }));
    picture.style.aspectRatio = String(frame.shape);
    frame.redraw();
  });

  const model = new Model();
  let charts;
  let why;
  let waiting = false;
  const update = () => {
    waiting = false;
    const summary = site.cameras.get(name);
    setHidden(unknown, !site.heard || summary !== undefined);
    setHidden(known, site.heard && summary === undefined);
    if (summary) setStatePill(pill, site.stateOf(summary));
    const open = site.openAlerts(name);
    setHidden(alerts, open.length === 0);
    setText(alerts, t('live.alerts', { n: open.length }));
    const device = model.devices.get(name);
    if (!device || !summary || !element.isConnected) return;
    const lines = plainHealth(device, site.stateOf(summary), model.now());
    refill(health, JSON.stringify(lines), () =>
      lines.map(({ level, words }) => h('li', { 'data-level': level }, words)),
    );
    const rows = [...figures(device), ...machineFacts(device)];
    refill(facts, JSON.stringify(rows), () =>
      rows.map(([key, value]) => h('div', {}, h('dt', {}, key), h('dd', {}, value))),
    );
    if (!details.open) return;
    charts ??= new Charts(scope.signal);
    why ??= new Why();
    setText($('charts-of'), t('charts.of', { n: device.trips.length, bundle: device.bundle?.name ?? '–' }));
    charts.update(device);
    why.update(device, model.now());
    results(device);
    trouble(device, model);
  };
  const soon = () => {
    if (waiting) return;
    waiting = true;
    scope.after(CALM_MS, update);
  };
  const message = (news, first) => {
    model.take(news, first, name);
    soon();
  };
  connect('/api/events', { message }, { signal: scope.signal, pauses: true });
  for (const type of ['cameras', 'alert', 'fresh']) scope.on(site, type, soon);
  scope.on(details, 'toggle', update);
  queueMicrotask(update);
  partitionForm(name, scope).then((form) => form && details.append(form));
  return { title: name, element };
}

/** What staff may be asked on the phone. */
function figures({ health, trips }) {
  const last = trips.at(-1);
  return [
    [t('figures.fps'), health?.fps?.toFixed(1)],
    [t('figures.total'), health?.steps_ms?.total === undefined ? undefined : text(ms(health.steps_ms.total))],
    [t('figures.bytes'), last && last.bytes > 0 ? text(bytes(last.bytes)) : undefined],
  ].filter(([, value]) => value !== undefined);
}
