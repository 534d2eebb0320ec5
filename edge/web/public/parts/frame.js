import { t } from '../t.js';
import { draw, pictureNote } from '../technical/picture.js';
import { h } from './dom.js';
import { found } from './format.js';
import { when } from './time.js';

/** A camera's picture on a canvas. Where boxes come without a picture, they are drawn on the last one there was, which says so. */
export class Frame {
  canvas = h('canvas', { role: 'img', width: '640', height: '360', class: 'sight' });
  #name;
  #last = null;
  #image = null;
  #imageAt = 0;

  constructor(name, scope) {
    this.#name = name;
    this.canvas.setAttribute('aria-label', t('picture.waiting', { camera: name }));
    scope.on(globalThis, 'resize', () => this.redraw());
    scope.on(matchMedia('(prefers-color-scheme: dark)'), 'change', () => this.redraw());
    scope.onEnd(() => this.#image?.close());
  }

  /** Shape of the picture, width by height. */
  get shape() {
    return this.#last ? this.#last.width / this.#last.height : 16 / 9;
  }

  /** @returns {string} what is on it, in words */
  show({ shown, image }) {
    if (image) {
      this.#image?.close();
      this.#image = image;
      this.#imageAt = Date.now();
    }
    this.#last = shown;
    const words = contents(shown);
    this.canvas.setAttribute('aria-label', t('picture.label', { camera: this.#name, found: words }));
    this.redraw();
    return words;
  }

  redraw() {
    if (!this.#last) return;
    const old = this.#image && !this.#last.picture;
    const note = old ? t('picture.old', { when: when(this.#imageAt) }) : pictureNote(this.#image);
    draw(this.canvas, { shown: this.#last, image: this.#image }, note);
  }

  close() {
    this.#image?.close();
    this.#image = null;
    this.#last = null;
  }
}

/** How many of what; what a mask hides does not count. */
export function contents({ answered, detections }) {
  if (!answered) return t('picture.unanswered');
  const counts = {};
  for (const { label, masked } of detections) if (!masked) counts[label] = (counts[label] ?? 0) + 1;
  return found(counts);
}
