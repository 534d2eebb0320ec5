import { h, svg } from '../parts/dom.js';
import { t } from '../t.js';

/** Of the picture, for one press of an arrow key; with Shift. */
const STEP = 0.01;
const FAR = 0.05;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * The picture to draw on: a click or touch adds a corner, corners are dragged, the small handles between them add one there.
 * By keyboard: every corner is a stop, arrow keys move it, Delete removes it.
 */
export class Board {
  #polygon;
  #others = svg('g', {});
  #shape = svg('polygon', { class: 'drawn' });
  #handles = h('div', { class: 'handles' });
  #onChange;
  #editable = false;
  #dragged = false;

  /** @param canvas shows the picture @param onChange the polygon changed */
  constructor(canvas, onChange) {
    this.#onChange = onChange;
    const layer = svg(
      'svg',
      { class: 'zone-layer', viewBox: '0 0 1 1', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
      this.#others,
      this.#shape,
    );
    this.element = h('div', { class: 'board' }, canvas, layer, this.#handles);
    this.element.addEventListener('pointerdown', (event) => this.#down(event));
    this.element.addEventListener('keydown', (event) => this.#key(event));
  }

  /** @param polygon null: nothing is drawn @param others zones that are there already: {kind, name, points} */
  show(polygon, others) {
    this.#polygon = polygon;
    this.#editable = polygon !== null;
    this.element.dataset.editable = this.#editable;
    this.#others.replaceChildren(
      ...others.map(({ kind, points }) => svg('polygon', { class: kind, points: points.join(' ') })),
    );
    this.redraw();
  }

  /** Marks one of the zones that are there already. */
  mark(at) {
    for (const [i, shape] of [...this.#others.children].entries()) shape.classList.toggle('marked', i === at);
  }

  /** @param focus a corner that shall have the focus */
  redraw(focus) {
    const points = this.#polygon?.points ?? [];
    this.#shape.setAttribute('points', points.join(' '));
    const had = focus ?? this.#focused();
    this.#handles.replaceChildren(
      ...points.map((point, at) => this.#corner(point, at, points.length)),
      ...(points.length > 1 ? points.map((_, at) => this.#between(at)) : []),
    );
    if (had !== undefined) this.#handles.children[Math.min(had, points.length - 1)]?.focus({ preventScroll: true });
  }

  #focused() {
    const at = [...this.#handles.children].indexOf(document.activeElement);
    return at >= 0 ? at : undefined;
  }

  #corner([x, y], at, of) {
    const label = t('zones.corner', { at: at + 1, of, x: Math.round(x * 100), y: Math.round(y * 100) });
    const button = h('button', { type: 'button', class: 'corner', 'aria-label': label, 'data-at': at });
    return placed(button, [x, y]);
  }

  /** By keyboard there is a button for it, so these are no stops. */
  #between(at) {
    const button = h('button', {
      type: 'button',
      class: 'between',
      tabindex: '-1',
      'aria-hidden': 'true',
      'data-after': at,
    });
    return placed(button, this.#polygon.middle(at));
  }

  #share({ clientX, clientY }) {
    const { left, top, width, height } = this.element.getBoundingClientRect();
    return [(clientX - left) / width, (clientY - top) / height];
  }

  #down(event) {
    if (!this.#editable || event.button !== 0) return;
    const { at, after } = event.target.dataset;
    if (at !== undefined) return this.#drag(event, Number(at));
    event.preventDefault();
    const place = after === undefined ? this.#polygon.points.length : Number(after) + 1;
    if (!this.#polygon.add(this.#share(event), place)) return this.#onChange('full');
    this.redraw();
    this.#onChange('added');
    this.#follow(event, place);
  }

  #drag(event, at) {
    event.preventDefault();
    this.#polygon.remember();
    // a corner that was only touched is nothing to undo
    this.#follow(event, at, () => this.#polygon.undo());
    this.#handles.children[at].focus({ preventScroll: true });
  }

  /** The corner goes with the pointer until it is lifted. */
  #follow({ pointerId }, at, still = () => {}) {
    this.element.setPointerCapture(pointerId);
    this.#dragged = false;
    const end = new AbortController();
    const on = (type, listener) => this.element.addEventListener(type, listener, { signal: end.signal });
    on('pointermove', (event) => {
      this.#dragged = true;
      this.#polygon.move(at, this.#share(event));
      this.redraw();
    });
    for (const type of ['pointerup', 'pointercancel', 'lostpointercapture']) {
      on(type, () => {
        end.abort();
        if (!this.#dragged) return still();
        this.#onChange('moved');
      });
    }
  }

  #key(event) {
    if (!this.#editable) return;
    const at = Number(event.target.dataset.at ?? Number.NaN);
    const point = this.#polygon.points[at];
    if (!point) return;
    if (event.key === 'Delete' || event.key === 'Backspace') {
      event.preventDefault();
      this.#polygon.remove(at);
      this.redraw(at);
      return this.#onChange('removed');
    }
    const move = MOVES[event.key];
    if (!move) return;
    event.preventDefault();
    const far = event.shiftKey ? FAR : STEP;
    this.#polygon.remember();
    this.#polygon.move(at, [point[0] + move[0] * far, point[1] + move[1] * far]);
    this.redraw(at);
    this.#onChange('moved');
  }
}

function placed(element, [x, y]) {
  element.style.left = `${x * 100}%`;
  element.style.top = `${y * 100}%`;
  return element;
}
