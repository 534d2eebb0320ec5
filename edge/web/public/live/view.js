import { keepAwake } from '../parts/awake.js';
import { h, setHidden, setText } from '../parts/dom.js';
import { emptyState } from '../parts/empty.js';
import { icon } from '../parts/icon.js';
import { roving } from '../parts/roving.js';
import { link } from '../router.js';
import { site } from '../site.js';
import { t } from '../t.js';
import { bestColumns, sizeFor } from './grid.js';
import { Looker } from './looker.js';
import { Tile } from './tile.js';

/** From so many cameras on there is a field to find one by name. */
const FIND_FROM = 7;
/** A camera that falls silent says nothing: look now and then, ms. */
const LOOK_MS = 5000;

/** All cameras at once; `?wall` fills the screen with them and nothing else. */
export function liveView({ query }, scope) {
  const wall = query.wall !== undefined;
  const looker = new Looker(scope);
  const tiles = new Map();
  const list = h('ul', { class: 'tiles plain', 'aria-label': t('live.list') });
  const rove = roving(list, '.tile-link', scope.signal);
  const find = h('input', { type: 'search', autocomplete: 'off', spellcheck: 'false', 'aria-label': t('live.find') });
  find.placeholder = t('live.find');
  const summary = h('p', { class: 'quiet' });
  const none = h('p', { class: 'quiet', hidden: true }, t('live.none_found'));
  const waiting = h('p', { class: 'panel empty quiet', role: 'status' }, t('live.waiting'));
  const empty = emptyState({
    title: t('live.empty_title'),
    words: t('live.empty_words'),
    steps: [t('live.empty_step_agent'), t('live.empty_step_start'), t('live.empty_step_demo')],
  });
  const head = h(
    'div',
    { class: 'view-head' },
    h('h1', {}, t('nav.live')),
    summary,
    find,
    h(
      'a',
      { class: 'button to-wall', href: link('live', [], { wall: '1' }), onclick: fullScreen },
      icon('wall'),
      t('live.wall'),
    ),
  );

  const update = (names) => {
    const cameras = site.sorted();
    const wanted = cameras.filter(({ name }) => wall || name.toLowerCase().includes(find.value.trim().toLowerCase()));
    setHidden(waiting, site.heard);
    setHidden(empty, !site.heard || cameras.length > 0);
    setHidden(find, cameras.length < FIND_FROM);
    setHidden(none, wanted.length > 0 || cameras.length === 0);
    arrange(wanted);
    for (const camera of wanted) if (!names || names.has(camera.name)) tiles.get(camera.name).update(camera);
    const online = cameras.filter((camera) => site.stateOf(camera) === 'online').length;
    setText(summary, cameras.length === 0 ? '' : t('live.summary', { n: cameras.length, online }));
  };

  const arrange = (wanted) => {
    const names = new Set(wanted.map(({ name }) => name));
    let changed = false;
    for (const [name, tile] of tiles) {
      if (names.has(name)) continue;
      tile.close(looker);
      tiles.delete(name);
      changed = true;
    }
    wanted.forEach((camera, at) => {
      let tile = tiles.get(camera.name);
      if (!tile) {
        tile = new Tile(camera.name, looker, scope);
        tile.update(camera);
        tiles.set(camera.name, tile);
        changed = true;
      }
      if (list.children[at] !== tile.element) list.insertBefore(tile.element, list.children[at] ?? null);
    });
    if (!changed) return;
    list.dataset.size = sizeFor(wanted.length);
    fit();
    rove.update();
  };

  const fit = () => {
    if (!wall) return;
    const columns = bestColumns(tiles.size, innerWidth, innerHeight);
    list.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
    list.style.gridTemplateRows = `repeat(${Math.max(1, Math.ceil(tiles.size / columns))}, minmax(0, 1fr))`;
    requestAnimationFrame(() => {
      for (const tile of tiles.values()) tile.redraw();
    });
  };

  const leave = () => {
    if (document.fullscreenElement) document.exitFullscreen();
    location.hash = link('live');
  };
  if (wall) {
    document.documentElement.dataset.wall = '';
    scope.onEnd(() => delete document.documentElement.dataset.wall);
    keepAwake(scope);
    scope.on(globalThis, 'resize', fit);
    scope.on(document, 'keydown', (event) => event.key === 'Escape' && leave());
  }
  scope.on(find, 'input', () => update());
  scope.on(site, 'cameras', ({ detail }) => update(detail));
  for (const type of ['alert', 'fresh']) scope.on(site, type, () => update());
  scope.every(LOOK_MS, () => update());
  queueMicrotask(update);

  const exit = h('button', { type: 'button', class: 'button wall-exit', onclick: leave }, t('live.leave_wall'));
  const title = h('h1', { class: 'hidden' }, t('nav.live'));
  return {
    title: t('nav.live'),
    element: h('div', { class: wall ? 'live wall' : 'live' }, wall ? [title, exit] : head, waiting, empty, none, list),
  };
}

/** Where the browser lets a page fill the screen; the view is the same without. */
function fullScreen() {
  document.documentElement.requestFullscreen?.().catch(() => {});
}
