import { snapshot } from '../events/detail.js';
import { openDialog } from '../parts/dialog.js';
import { h } from '../parts/dom.js';
import { severityPill } from '../parts/pills.js';
import { exact, lasted, timeOf } from '../parts/time.js';
import { link } from '../router.js';
import { mayChange } from '../session.js';
import { t } from '../t.js';

/**
 * One alert: what, where, since when, who has it in hand; with what may be done.
 * @param act (alert, `acknowledge` or `close`)
 */
export function alertCard(alert, act, signal) {
  const { id, message, camera, zone, severity, state, rule } = alert;
  const button = (action, main) =>
    h(
      'button',
      { type: 'button', class: main ? 'button main' : 'button', onclick: () => act(alert, action) },
      t(`alerts.${action}`),
    );
  return h(
    'article',
    { class: 'panel alert', 'data-severity': severity, 'data-state': state, 'aria-labelledby': `alert-${id}` },
    picture(alert, signal),
    h(
      'div',
      { class: 'alert-text' },
      h('h3', { id: `alert-${id}` }, message),
      h(
        'p',
        { class: 'alert-facts' },
        severityPill(severity),
        h('a', { href: link('camera', [camera]) }, camera),
        zone && h('span', { class: 'chip' }, zone),
        h('span', { class: 'quiet' }, rule.name),
      ),
      h('p', { class: 'quiet' }, timeOf(alert.started), ' · ', lastedWords(alert)),
      history(alert),
    ),
    mayChange() &&
      state !== 'closed' &&
      h('div', { class: 'alert-actions' }, state === 'open' && button('acknowledge', true), button('close', false)),
  );
}

function lastedWords({ started, ended }) {
  if (ended === undefined) return h('strong', { class: 'going-on' }, t('alerts.holds'));
  return t('alerts.lasted', { time: lasted(ended - started) });
}

/** Who did what, and why. */
function history({ state, by, changed, note }) {
  if (state === 'open') return '';
  const words = t(`alerts.by.${state}`, { who: by || t('alerts.somebody') });
  return [h('p', { class: 'alert-by' }, words, ', ', timeOf(changed)), note && h('blockquote', {}, note)];
}

function picture(alert, signal) {
  const { id, message, snapshot: there, camera, started } = alert;
  if (!there) return '';
  const src = `/api/v1/alerts/${id}/snapshot`;
  const large = () => openDialog({ title: message, body: [snapshot(src, alert)], wide: true, signal });
  const alt = t('events.picture_of', { camera, when: exact(started) });
  const image = h('img', { src, alt, loading: 'lazy', decoding: 'async' });
  const button = h('button', { type: 'button', class: 'alert-picture', onclick: large }, image);
  image.addEventListener('error', () => button.remove());
  return button;
}
