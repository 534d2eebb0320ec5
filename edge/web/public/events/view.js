import { api, search } from '../api.js';
import { h, setHidden, setText } from '../parts/dom.js';
import { emptyState } from '../parts/empty.js';
import { icon } from '../parts/icon.js';
import { failure, load, retryLater } from '../parts/load.js';
import { zoneWords } from '../parts/time.js';
import { toastError } from '../parts/toast.js';
import { link } from '../router.js';
import { site } from '../site.js';
import { t } from '../t.js';
import { openEvent } from './detail.js';
import { filterForm, timesOf } from './filter.js';
import { eventRow, ROW_REM } from './row.js';
import { VirtualList } from './vlist.js';

const PAGE = 200;
/** Events that are kept here at most; who looks further back searches by time. */
const MOST = 50_000;

/** The history: what was seen where and when. `#/events/ID` opens one. */
export function eventsView({ path: [opened], query: asked, keep }, scope) {
  let query = asked;
  let turn = 0;
  let next;
  let busy = false;
  let fresh = [];
  const place = h('div', {});
  const status = h('p', { class: 'quiet', role: 'status' });
  const results = h('div', {});
  const newer = h('button', { type: 'button', class: 'button newer', hidden: true, onclick: () => restart() });
  const csv = h('a', { class: 'button', download: 'events.csv' }, icon('download'), t('events.csv'));
  const list = new VirtualList({ rowRem: ROW_REM, render, onNear: () => more(), label: t('nav.events') }, scope);

  /** Who reads further down is told, and goes on reading. */
  const caughtUp = () => {
    if (scrollY < 200) return restart();
    setText(newer, t('events.meanwhile'));
    setHidden(newer, false);
  };

  const filter = () => {
    const { camera, label, zone } = query;
    return { camera, label, zone, ...timesOf(query) };
  };

  function render(event) {
    return eventRow(event, link('events', [event.id], query), (click) => {
      if (click.ctrlKey || click.metaKey || click.shiftKey) return;
      click.preventDefault();
      open(event);
    });
  }

  function open(event) {
    keep(link('events', [event.id], query));
    const onClose = () => !scope.over && keep(link('events', [], query));
    openEvent(event, { signal: scope.signal, onClose });
  }

  async function restart() {
    turn++;
    next = undefined;
    busy = false;
    fresh = [];
    setHidden(newer, true);
    csv.href = `/api/v1/events.csv${search(filter())}`;
    await more(true);
  }

  /** The next page, or the first one. */
  async function more(first = false) {
    if (busy || (!first && next === undefined) || (!first && list.items.length >= MOST)) return;
    const mine = turn;
    busy = true;
    try {
      const page = await api('/events', { query: { ...filter(), limit: PAGE, cursor: next }, signal: scope.signal });
      if (mine !== turn) return;
      next = page.next;
      if (first) results.replaceChildren(page.events.length > 0 ? list.element : nothing());
      busy = false;
      list.set(first ? page.events : [...list.items, ...page.events]);
      say();
    } catch (error) {
      if (scope.over || mine !== turn) return;
      busy = false;
      if (!first) return toastError(error);
      results.replaceChildren(failure(error, restart));
      retryLater(error, () => mine === turn && restart(), scope);
    }
  }

  function say() {
    const n = list.items.length;
    const key = n >= MOST ? 'events.count_cut' : next === undefined ? 'events.count' : 'events.count_more';
    setText(status, n === 0 ? '' : t(key, { n }));
  }

  const searched = () => Object.keys(query).length > 0;
  const nothing = () =>
    searched()
      ? emptyState({
          title: t('events.none_found'),
          words: t('events.none_found_words'),
          actions: [h('a', { class: 'button', href: link('events') }, t('events.all'))],
        })
      : emptyState({ title: t('events.none'), words: t('events.none_words') });

  const matches = ({ camera, label, zones, started }) => {
    const wanted = filter();
    return (
      (!wanted.camera || wanted.camera === camera) &&
      (!wanted.label || wanted.label === label) &&
      (!wanted.zone || zones.includes(wanted.zone)) &&
      (wanted.to === undefined || started < wanted.to)
    );
  };

  scope.on(site, 'event', ({ detail: { type, after } }) => {
    const at = list.items.findIndex(({ id }) => id === after.id);
    if (at >= 0) return list.set(list.items.with(at, after));
    if (type !== 'new' || busy || !matches(after)) return;
    if (list.items.length === 0) return restart();
    // at the top it comes in by itself; further down what people read stays where it is
    if (scrollY < 200 && fresh.length === 0) {
      list.set([after, ...list.items].slice(0, MOST));
      return say();
    }
    fresh = [...fresh, after.id].slice(-MOST);
    setText(newer, t('events.newer', { n: fresh.length }));
    setHidden(newer, false);
  });

  load(
    place,
    async () => {
      const [{ labels }, { zones }] = await Promise.all([
        api('/labels', { signal: scope.signal }),
        api('/zones', { signal: scope.signal }),
      ]);
      const names = [...new Set(zones.filter(({ kind }) => kind === 'zone').map(({ name }) => name))];
      return { labels, zones: names.sort() };
    },
    (choices) => {
      const form = filterForm(query, choices, (changed) => {
        query = changed;
        keep(link('events', [], query));
        scrollTo({ top: 0, behavior: 'instant' });
        restart();
      });
      restart();
      return [
        form,
        h('div', { class: 'list-head' }, status, newer, h('p', { class: 'quiet zone-words' }, zoneWords())),
        results,
      ];
    },
    scope,
    caughtUp,
  );
  if (opened) api(`/events/${encodeURIComponent(opened)}`, { signal: scope.signal }).then(open, toastError);

  return {
    title: t('nav.events'),
    element: h('div', {}, h('div', { class: 'view-head' }, h('h1', {}, t('nav.events')), csv), place),
  };
}
