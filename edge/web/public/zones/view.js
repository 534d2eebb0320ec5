import { api } from '../api.js';
import { Looker } from '../live/looker.js';
import { ask } from '../parts/dialog.js';
import { h } from '../parts/dom.js';
import { emptyState } from '../parts/empty.js';
import { Frame } from '../parts/frame.js';
import { load } from '../parts/load.js';
import { toast, toastError } from '../parts/toast.js';
import { link } from '../router.js';
import { mayChange } from '../session.js';
import { site } from '../site.js';
import { t } from '../t.js';
import { Board } from './board.js';
import { placeForm } from './form.js';
import { MOST, Polygon } from './polygon.js';

/** Zones and masks of one camera, drawn on its picture. `#/zones/CAMERA` */
export function zonesView({ path: [asked] }, scope) {
  const place = h('div', {});
  const head = h('div', { class: 'view-head' }, h('h1', {}, t('nav.zones')));
  let shown;

  const show = () => {
    const cameras = site.sorted().map(({ name }) => name);
    const camera = asked ?? cameras[0];
    if (camera === undefined) {
      if (site.heard)
        place.replaceChildren(emptyState({ title: t('zones.no_camera'), words: t('zones.no_camera_words') }));
      return;
    }
    if (camera === shown) return;
    shown = camera;
    head.replaceChildren(h('h1', {}, t('nav.zones')), chooser([...new Set([camera, ...cameras])].sort(), camera));
    place.replaceChildren(new Editor(camera, scope).element);
  };

  scope.on(site, 'cameras', () => shown === undefined && show());
  queueMicrotask(show);
  return { title: t('nav.zones'), element: h('div', { class: 'zones' }, head, place) };
}

function chooser(cameras, chosen) {
  const select = h(
    'select',
    { name: 'camera', 'aria-label': t('filter.camera') },
    cameras.map((name) => h('option', { value: name, selected: name === chosen }, name)),
  );
  select.addEventListener('change', () => {
    location.hash = link('zones', [select.value]);
  });
  return select;
}

/** The picture, what is drawn on it, and the list beside it. */
class Editor {
  #camera;
  #scope;
  #places = [];
  #frame;
  #board;
  #side = h('div', { class: 'zones-side' });
  #polygon = null;
  #form = null;
  #again;

  constructor(camera, scope) {
    this.#camera = camera;
    this.#scope = scope;
    this.#frame = new Frame(camera, scope);
    this.#board = new Board(this.#frame.canvas, (what) => this.#changed(what));
    this.element = h('div', { class: 'zones-editor' }, this.#board.element, this.#side);
    const looker = new Looker(scope);
    looker.watch(camera, this.#board.element, (next) => {
      this.#frame.show(next);
      this.#board.element.style.aspectRatio = String(this.#frame.shape);
      this.#frame.redraw();
    });
    const list = h('div', {});
    this.#again = load(
      list,
      async () => (await api('/zones', { query: { camera }, signal: scope.signal })).zones,
      (places) => {
        this.#places = places;
        if (!this.#form) this.#board.show(null, places);
        return this.#list();
      },
      scope,
    );
    this.#side.replaceChildren(list);
    this.list = list;
    scope.on(site, 'settings', ({ detail }) => detail === 'zones' && this.#again());
    scope.on(document, 'keydown', (event) => {
      if (!this.#polygon || event.key !== 'z' || !(event.ctrlKey || event.metaKey)) return;
      if (event.target.matches('input, textarea')) return;
      event.preventDefault();
      this.#polygon.undo();
      this.#changed();
      this.#board.redraw();
    });
  }

  #list() {
    const start = (kind) => () => this.#edit({ camera: this.#camera, kind, anchor: 'foot', points: [] });
    const add = mayChange() && [
      h('button', { type: 'button', class: 'button main', onclick: start('zone') }, t('zones.draw_zone')),
      h('button', { type: 'button', class: 'button', onclick: start('mask') }, t('zones.draw_mask')),
    ];
    if (this.#places.length === 0) {
      return emptyState({ title: t('zones.none'), words: t('zones.none_words'), actions: add || [] });
    }
    return [
      h(
        'ul',
        { class: 'plain zone-list', 'aria-label': t('nav.zones') },
        this.#places.map((place, at) => this.#row(place, at)),
      ),
      add && h('p', { class: 'actions' }, add),
    ].filter(Boolean);
  }

  #row(place, at) {
    const { name, kind, points } = place;
    const mark = (on) => () => this.#board.mark(on ? at : -1);
    const button = (words, onclick) =>
      h('button', { type: 'button', class: 'button', 'aria-label': t(`${words}_named`, { name }), onclick }, t(words));
    const row = h(
      'li',
      { class: 'panel zone-row' },
      h('span', { class: `zone-swatch ${kind}`, 'aria-hidden': 'true' }),
      h(
        'span',
        { class: 'zone-name' },
        h('strong', {}, name),
        h('span', { class: 'quiet' }, `${t(`zones.kind.${kind}`)}, ${t('zones.corners', { n: points.length })}`),
      ),
      mayChange() && button('zones.edit', () => this.#edit(place)),
      mayChange() && button('zones.delete', () => this.#delete(place)),
    );
    row.addEventListener('pointerenter', mark(true));
    row.addEventListener('pointerleave', mark(false));
    row.addEventListener('focusin', mark(true));
    row.addEventListener('focusout', mark(false));
    return row;
  }

  #edit(place) {
    this.#polygon = new Polygon(place.points);
    const leave = () => {
      this.#polygon = null;
      this.#form = null;
      this.#board.show(null, this.#places);
      this.#side.replaceChildren(this.list);
    };
    this.#form = placeForm(
      place,
      this.#polygon,
      {
        change: (focus) => {
          this.#board.redraw(focus);
          this.#form.update();
        },
        saved: async ({ name }) => {
          leave();
          toast(t('zones.saved', { name }));
          await this.#again();
        },
        cancel: leave,
      },
      this.#scope,
    );
    this.#board.show(
      this.#polygon,
      this.#places.filter(({ id }) => id !== place.id),
    );
    const title = h('h2', { tabindex: '-1' }, t(place.id ? 'zones.change' : `zones.draw_${place.kind}`));
    this.#side.replaceChildren(title, this.#form.element);
    this.#form.update();
    title.focus();
  }

  #changed(what) {
    if (what === 'full') this.#form?.tell(t('zones.full', { n: MOST }));
    else this.#form?.tell('');
    this.#form?.update();
  }

  async #delete({ id, name, kind }) {
    const words = t(`zones.delete_words.${kind}`);
    const answer = await ask({
      title: t('zones.delete_title', { name }),
      words,
      action: t('zones.delete'),
      danger: true,
      signal: this.#scope.signal,
    });
    if (!answer) return;
    try {
      await api(`/zones/${id}`, { method: 'DELETE', signal: this.#scope.signal });
      toast(t('zones.deleted', { name }));
      await this.#again();
    } catch (error) {
      if (!this.#scope.over) toastError(error);
    }
  }
}
