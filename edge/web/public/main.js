import { alertsView } from './alerts/view.js';
import { cameraView } from './camera/view.js';
import { eventsView } from './events/view.js';
import { liveView } from './live/view.js';
import { startAccount } from './parts/account.js';
import { startBanner } from './parts/banner.js';
import { $, setText } from './parts/dom.js';
import { fillNavigation, markNavigation } from './parts/navigation.js';
import { startNews } from './parts/news.js';
import { startNotifying } from './parts/notify.js';
import { startRenewing } from './parts/renew.js';
import { Router } from './router.js';
import { rulesView } from './rules/view.js';
import { loadSession, session } from './session.js';
import { settingsView } from './settings/view.js';
import { site } from './site.js';
import { t } from './t.js';
import { zonesView } from './zones/view.js';

const views = {
  live: liveView,
  camera: cameraView,
  events: eventsView,
  alerts: alertsView,
  zones: zonesView,
  rules: rulesView,
  settings: settingsView,
};

let title = '';
let shown = false;

function show(route, { title: name, element }) {
  $('main').replaceChildren(element);
  title = name;
  retitle();
  markNavigation(route.view);
  // a new view is read from its start; at the first the page has its own
  if (shown) {
    scrollTo({ top: 0, behavior: 'instant' });
    $('main').focus({ preventScroll: true });
  }
  shown = true;
}

function retitle() {
  const open = site.openAlerts().filter(({ state }) => state === 'open').length;
  document.title = t(open > 0 ? 'title.alerts' : 'title', { title, n: open });
}

setText($('skip'), t('skip'));
fillNavigation();
startAccount();
startBanner();
startNews();
startNotifying();
$('skip').addEventListener('click', (event) => {
  event.preventDefault();
  $('main').focus();
});
for (const type of ['alert', 'fresh']) site.addEventListener(type, retitle);

// the stream is opened in any case: it comes again by itself when the edge is back
await loadSession().catch(() => {
  setText($('news'), t('error.unreachable'));
  // what may be done here is not known: begin anew when it can be
  site.addEventListener('cameras', () => session.name === '' && location.reload(), { once: true });
});
site.start();
startRenewing();
new Router(views, show).start();
