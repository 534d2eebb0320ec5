import { site } from '../site.js';
import { t } from '../t.js';
import { $, setText } from './dom.js';

/** More than so many at once are a number. */
const FEW = 3;

/** Says what changed for those who do not see it: cameras that come and go, alerts that begin. */
export function startNews() {
  let known = new Map();
  const look = () => {
    const next = new Map(site.sorted().map((camera) => [camera.name, site.stateOf(camera)]));
    const changed = [...next].filter(([name, state]) => known.has(name) && known.get(name) !== state);
    known = next;
    if (changed.length > FEW) say(t('news.many', { n: changed.length }));
    else if (changed.length > 0)
      say(changed.map(([name, state]) => t('news.camera', { name, state: t(`state.${state}`) })).join(' '));
  };
  site.addEventListener('cameras', look);
  // cameras that fall silent say nothing
  setInterval(look, 5000);
  site.addEventListener('alert', ({ detail: { type, alert } }) => {
    if (type === 'new') say(t('news.alert', { message: alert.message }));
  });
}

const say = (words) => setText($('news'), words);
