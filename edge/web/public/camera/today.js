import { api } from '../api.js';
import { openEvent } from '../events/detail.js';
import { eventRow } from '../events/row.js';
import { h } from '../parts/dom.js';
import { load } from '../parts/load.js';
import { startOfDay } from '../parts/time.js';
import { link } from '../router.js';
import { site } from '../site.js';
import { t } from '../t.js';

const MOST = 8;

/** The last events of today at one camera. */
export function todaysEvents(camera, scope) {
  const place = h('div', {});
  let events = [];
  const draw = () => {
    if (events.length === 0) return [h('p', { class: 'quiet' }, t('camera.no_events'))];
    const open = (event) => (click) => {
      click.preventDefault();
      openEvent(event, { signal: scope.signal });
    };
    return [
      h(
        'ul',
        { class: 'plain' },
        events.map((event) => h('li', {}, eventRow(event, link('events', [event.id]), open(event)))),
      ),
    ];
  };
  load(
    place,
    () => api('/events', { query: { camera, from: startOfDay(Date.now()), limit: MOST }, signal: scope.signal }),
    (page) => {
      events = page.events;
      return draw();
    },
    scope,
  );
  scope.on(site, 'event', ({ detail: { after } }) => {
    if (after.camera !== camera) return;
    const at = events.findIndex(({ id }) => id === after.id);
    events = at >= 0 ? events.with(at, after) : [after, ...events].slice(0, MOST);
    place.replaceChildren(...draw());
  });
  return h(
    'section',
    { class: 'panel today', 'aria-labelledby': 'today-title' },
    h(
      'div',
      { class: 'section-head' },
      h('h2', { id: 'today-title' }, t('camera.today')),
      h('a', { href: link('events', [], { camera, span: 'today' }) }, t('camera.all_events')),
    ),
    place,
  );
}
