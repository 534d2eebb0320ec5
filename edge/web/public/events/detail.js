import { openDialog } from '../parts/dialog.js';
import { h } from '../parts/dom.js';
import { exact, lasted, timeOf } from '../parts/time.js';
import { link } from '../router.js';
import { t } from '../t.js';
import { howLong, what } from './row.js';

/** Opens one event: its picture with the box, and all that is known. @param onClose called when it is closed */
export function openEvent(event, { signal, onClose } = {}) {
  return openDialog({
    title: what(event),
    body: [picture(event), facts(event), further(event)],
    wide: true,
    signal,
    onClose,
  });
}

function picture(event) {
  if (!event.snapshot) return h('p', { class: 'no-picture quiet' }, t('events.no_picture'));
  return snapshot(`/api/v1/events/${event.id}/snapshot`, event);
}

/** A picture with a box on it. @param box shares of the picture */
export function snapshot(src, { box, camera, best_at, started }) {
  const image = h('img', { src, alt: t('events.picture_of', { camera, when: exact(best_at ?? started) }) });
  const frame = h('div', { class: 'snapshot' }, image);
  if (!box) return frame;
  const mark = h('span', { class: 'mark' });
  ['left', 'top', 'width', 'height'].forEach((side, i) => {
    mark.style[side] = `${(box[i] * 100).toFixed(2)}%`;
  });
  frame.append(mark);
  image.addEventListener('error', () =>
    frame.replaceWith(h('p', { class: 'no-picture quiet' }, t('events.no_picture'))),
  );
  return frame;
}

function facts(event) {
  const { camera, zones, started, ended, score, max_count, frames } = event;
  const rows = [
    [t('events.fact.camera'), h('a', { href: link('camera', [camera]) }, camera)],
    [t('events.fact.zones'), zones.length > 0 ? zones.join(', ') : t('events.no_zone')],
    [t('events.fact.began'), timeOf(started, exact(started))],
    [t('events.fact.ended'), ended === undefined ? t('events.going_on') : timeOf(ended, exact(ended))],
    [t('events.fact.lasted'), ended === undefined ? lasted(Date.now() - started) : howLong(event)],
    [t('events.fact.most'), t('count', { n: max_count })],
    [t('events.fact.frames'), t('count', { n: frames })],
    [t('events.fact.score'), t('percent', { n: Math.round(score * 100) })],
  ];
  return h(
    'dl',
    { class: 'facts' },
    rows.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
  );
}

const further = ({ camera, label }) =>
  h(
    'p',
    { class: 'actions' },
    h('a', { class: 'button', href: link('events', [], { camera, label }) }, t('events.alike')),
  );
