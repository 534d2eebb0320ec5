import { h } from '../parts/dom.js';

/** Rows beyond the edges of the window. */
const SPARE = 8;
/** This many rows before the end the next ones are asked for. */
const AHEAD = 40;

/**
 * A list of any length of which only the rows in sight are on the page: ten thousand take as long as ten. It scrolls with the
 * page. Up, Down, Home and End go from row to row; the row that has the focus stays.
 */
export class VirtualList {
  element = h('div', { class: 'vlist', role: 'list' });
  #rows = new Map();
  #items = [];
  #rowRem;
  #height;
  #render;
  #onNear;
  #active = 0;
  #queued = false;

  /**
   * @param options {rowRem: height of a row, rem; render: (item) => element that can get the focus; onNear: the end is near; label}
   */
  constructor({ rowRem, render, onNear, label }, scope) {
    this.#rowRem = rowRem;
    this.#measure();
    this.#render = render;
    this.#onNear = onNear;
    this.element.setAttribute('aria-label', label);
    scope.on(globalThis, 'scroll', () => this.#soon(), { passive: true });
    scope.on(globalThis, 'resize', () => {
      if (this.#measure()) this.#arrange();
      this.#soon();
    });
    this.element.addEventListener('keydown', (event) => this.#key(event));
    this.element.addEventListener('focusin', ({ target }) => {
      const row = target.closest('[data-at]');
      if (row) this.#active = Number(row.dataset.at);
    });
  }

  get items() {
    return this.#items;
  }

  /** @param items {id, ...}; rows of the same item (by identity) stay */
  set(items) {
    this.#items = items;
    this.#active = Math.min(this.#active, Math.max(0, items.length - 1));
    this.element.style.height = `${items.length * this.#height}px`;
    this.#draw();
  }

  /** @returns whether rows are of another height now */
  #measure() {
    const before = this.#height;
    this.#height = this.#rowRem * Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
    return this.#height !== before;
  }

  #arrange() {
    this.element.style.height = `${this.#items.length * this.#height}px`;
    for (const row of this.#rows.values()) row.at = -1;
  }

  focus(at) {
    this.#active = at;
    const top = this.element.getBoundingClientRect().top + scrollY + at * this.#height;
    if (top < scrollY + 80) scrollTo({ top: top - 80, behavior: 'instant' });
    else if (top + this.#height > scrollY + innerHeight - 80)
      scrollTo({ top: top + this.#height - innerHeight + 80, behavior: 'instant' });
    this.#draw();
    this.#rows.get(this.#items[at]?.id)?.element.firstElementChild.focus({ preventScroll: true });
  }

  #soon() {
    if (this.#queued) return;
    this.#queued = true;
    requestAnimationFrame(() => {
      this.#queued = false;
      this.#draw();
    });
  }

  #draw() {
    const top = -this.element.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(top / this.#height) - SPARE);
    const last = Math.min(this.#items.length, Math.ceil((top + innerHeight) / this.#height) + SPARE);
    const wanted = new Map();
    for (let at = first; at < last; at++) wanted.set(this.#items[at].id, at);
    if (this.element.contains(document.activeElement) && this.#items[this.#active])
      wanted.set(this.#items[this.#active].id, this.#active);
    for (const [id, { element, item }] of this.#rows) {
      if (this.#items[wanted.get(id)] === item) continue;
      element.remove();
      this.#rows.delete(id);
    }
    for (const [id, at] of wanted) this.#place(id, at);
    if (last > this.#items.length - AHEAD) this.#onNear();
  }

  #place(id, at) {
    let row = this.#rows.get(id);
    if (!row) {
      const item = this.#items[at];
      const element = h('div', { role: 'listitem', class: 'vrow' }, this.#render(item));
      row = { element, item, at: -1 };
      this.#rows.set(id, row);
      this.element.append(element);
    }
    row.element.firstElementChild.tabIndex = at === this.#active ? 0 : -1;
    if (row.at === at) return;
    row.at = at;
    row.element.dataset.at = at;
    row.element.style.transform = `translateY(${at * this.#height}px)`;
    row.element.setAttribute('aria-posinset', at + 1);
    row.element.setAttribute('aria-setsize', this.#items.length);
  }

  #key(event) {
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: 6, PageUp: -6, Home: -1e9, End: 1e9 };
    if (!(event.key in moves) || event.target.closest('[data-at]') === null) return;
    event.preventDefault();
    this.focus(Math.max(0, Math.min(this.#items.length - 1, this.#active + moves[event.key])));
  }
}
