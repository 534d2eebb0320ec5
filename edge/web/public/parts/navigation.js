import { link } from '../router.js';
import { site } from '../site.js';
import { t } from '../t.js';
import { $, h, setHidden, setText } from './dom.js';
import { icon } from './icon.js';

const VIEWS = ['live', 'events', 'alerts', 'zones', 'rules', 'settings'];
/** Views that have no entry of their own. */
const BELOW = { camera: 'live' };

const badge = h('span', { class: 'badge', hidden: true });

/** The page's main navigation: beside the name on wide screens, at the lower edge of phones. */
export function fillNavigation() {
  $('nav').setAttribute('aria-label', t('nav.title'));
  $('nav-list').replaceChildren(
    ...VIEWS.map((view) =>
      h(
        'li',
        {},
        h(
          'a',
          { href: link(view), 'data-view': view },
          icon(view),
          h('span', {}, t(`nav.${view}`)),
          view === 'alerts' && badge,
        ),
      ),
    ),
  );
  for (const type of ['alert', 'fresh']) site.addEventListener(type, count);
}

export function markNavigation(view) {
  for (const one of $('nav-list').querySelectorAll('a')) {
    if (one.dataset.view === (BELOW[view] ?? view)) one.setAttribute('aria-current', 'page');
    else one.removeAttribute('aria-current');
  }
}

function count() {
  const open = site.openAlerts().filter(({ state }) => state === 'open').length;
  setHidden(badge, open === 0);
  setText(badge, open > 99 ? '99+' : String(open));
  badge.setAttribute('aria-label', t('nav.open_alerts', { n: open }));
}
