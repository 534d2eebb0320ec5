import { standing } from './decision.js';
import { $, amount, h, setHidden, setText } from './dom.js';
import { bytes, count, found, median, ms, place, text } from './format.js';
import { total } from './model.js';
import { draw, fetchShown } from './picture.js';

/** Tiles at a time; the filter finds the others. */
const MOST = 48;

/** One tile for each device: picture, boxes, and what matters in figures. */
export class Tiles {
  #tiles = new Map();
  #list = $('tiles');
  #choose;

  /** @param choose called with a device's name when it is picked */
  constructor(choose) {
    this.#choose = choose;
    addEventListener('resize', () => this.#redraw());
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#redraw());
  }

  update(model, chosen, filter) {
    const matching = model.sorted().filter((device) => device.name.toLowerCase().includes(filter));
    const wanted = matching.slice(0, MOST);
    const names = new Set(wanted.map((device) => device.name));
    for (const [name, tile] of this.#tiles) {
      if (names.has(name)) continue;
      tile.close();
      this.#tiles.delete(name);
    }
    wanted.forEach((device, at) => {
      let tile = this.#tiles.get(device.name);
      if (!tile) {
        tile = new Tile(device.name, this.#choose);
        this.#tiles.set(device.name, tile);
      }
      if (this.#list.children[at] !== tile.element)
        this.#list.insertBefore(tile.element, this.#list.children[at] ?? null);
      tile.update(device, model.present(device), device.name === chosen);
    });
    const hidden = matching.length - wanted.length;
    setHidden($('tiles-more'), hidden <= 0 && matching.length > 0);
    setText(
      $('tiles-more'),
      matching.length === 0 ? 'No device has that in its name.' : `${hidden} more: find them by name.`,
    );
  }

  #redraw() {
    for (const tile of this.#tiles.values()) tile.redraw();
  }
}

const visible = new WeakMap();
const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) visible.get(target)?.(isIntersecting);
});

class Tile {
  #canvas = h('canvas', { role: 'img', width: '640', height: '360' });
  #state = h('span', { class: 'pill' });
  #button;
  #found = h('strong');
  #frame = h('span', { class: 'quiet' });
  #standing = h('p', { class: 'standing', hidden: true });
  #trouble = h('p', { class: 'trouble', hidden: true });
  #figures = new Map();
  #seen = false;
  #busy = false;
  #want = '';
  #have = '';
  #last = null;
  #closed = false;
  #name;

  constructor(name, choose) {
    this.#name = name;
    this.#button = h('button', { type: 'button', onclick: () => choose(name) }, name);
    const figures = ['Partition', 'Bytes', 'Result in', 'Results/s', 'Link'].map((title) => {
      const value = h('dd', {}, '–');
      this.#figures.set(title, value);
      return h('div', {}, h('dt', {}, title), value);
    });
    this.element = h(
      'li',
      { class: 'tile' },
      h('header', {}, h('h3', {}, this.#button), this.#state),
      this.#canvas,
      h('p', { class: 'caption' }, this.#found, this.#frame),
      h('dl', {}, ...figures),
      this.#standing,
      this.#trouble,
    );
    visible.set(this.element, (seen) => {
      this.#seen = seen;
      this.#fetch();
    });
    watcher.observe(this.element);
  }

  update(device, present, chosen) {
    this.element.classList.toggle('chosen', chosen);
    this.element.classList.toggle('away', !present);
    this.#button.setAttribute('aria-pressed', String(chosen));
    setText(this.#state, present ? 'online' : 'away');
    this.#state.dataset.state = present ? 'good' : 'bad';
    const trip = device.trips.at(-1);
    const recent = device.trips.slice(-20);
    this.#figure('Partition', [place(trip?.partition ?? device.health?.partition, trip?.rate)]);
    this.#figure('Bytes', bytes(median(recent.map((t) => t.bytes))));
    this.#figure('Result in', ms(median(recent.map(total))));
    this.#figure('Results/s', [device.health?.fps === undefined ? '–' : device.health.fps.toFixed(1)]);
    const bps = device.health?.bandwidth_bps;
    this.#figure(
      'Link',
      bps === undefined ? ['–'] : bps >= 1e9 ? ['> 1', 'Gbit/s'] : [(bps / 1e6).toFixed(1), 'Mbit/s'],
    );
    const { local, waiting } = standing(device);
    setHidden(this.#standing, local === '' && waiting === '');
    setText(this.#standing, [local, waiting].filter(Boolean).join(' '));
    const error = device.errors.at(-1);
    const recentError = error && (!trip || error.at >= trip.at);
    setHidden(this.#trouble, !recentError);
    if (recentError) setText(this.#trouble, `${error.message}${error.hint ? `. ${error.hint}` : ''}`);
    this.#want = device.shown ? `${device.shown.session}/${device.shown.frame}/${device.shown.picture}` : '';
    this.#fetch();
  }

  redraw() {
    if (this.#last) draw(this.#canvas, this.#last);
  }

  close() {
    this.#closed = true;
    watcher.unobserve(this.element);
    this.#last?.image?.close();
    this.element.remove();
  }

  #figure(title, value) {
    const element = this.#figures.get(title);
    if (element.dataset.value === text(value)) return;
    element.dataset.value = text(value);
    element.replaceChildren(...amount(value));
  }

  /** One request at a time; a newer picture that came meanwhile is fetched next, those between are left out. */
  async #fetch() {
    if (this.#busy || this.#closed || !this.#seen || this.#want === '' || this.#want === this.#have) return;
    this.#busy = true;
    const want = this.#want;
    try {
      const next = await fetchShown(this.#name, AbortSignal.timeout(8000));
      if (next && !this.#closed) this.#show(next);
      this.#have = want;
    } catch {
      // the connection's own pill says what is wrong; the last picture stays
      await new Promise((done) => setTimeout(done, 1000));
    } finally {
      this.#busy = false;
    }
    if (this.#want !== this.#have) this.#fetch();
  }

  #show(next) {
    this.#last?.image?.close();
    this.#last = next;
    draw(this.#canvas, next);
    const counts = {};
    for (const { label } of next.shown.detections) counts[label] = (counts[label] ?? 0) + 1;
    const what = next.shown.answered ? found(counts) : 'no answer yet';
    setText(this.#found, what);
    setText(this.#frame, `frame ${count(next.shown.frame)}`);
    this.#canvas.setAttribute('aria-label', `Picture of ${this.#name}, frame ${next.shown.frame}: ${what}`);
  }
}
