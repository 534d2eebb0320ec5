import { t } from '../t.js';
import { draw, pictureNote } from '../technical/picture.js';
import { h } from './dom.js';
import { found } from './format.js';
import { LastPicture } from './last-picture.js';
import { when } from './time.js';

/**
 * A camera's picture on a canvas. Where boxes come without a picture, or nothing comes at all, the last picture there was stands
 * in, of the camera or of its last event, and says of when it is.
 */
export class Frame {
  canvas = h('canvas', { role: 'img', width: '640', height: '360', class: 'sight' });
  #name;
  #last = null;
  #image = null;
  #imageAt = 0;
  #events;

  constructor(name, scope) {
    this.#name = name;
    this.canvas.setAttribute('aria-label', t('picture.waiting', { camera: name }));
    this.#events = new LastPicture(name, (picture) => this.#lend(picture), scope);
    scope.on(globalThis, 'resize', () => this.redraw());
    scope.on(matchMedia('(prefers-color-scheme: dark)'), 'change', () => this.redraw());
    scope.onEnd(() => this.#image?.close());
  }

  /** Shape of the picture, width by height. */
  get shape() {
    const { width, height } = this.#last ?? this.#image ?? { width: 16, height: 9 };
    return width / height;
  }

  /** @param next {shown, image}, or null: there is nothing to show @returns {string} what is on it, in words */
  show(next) {
    const { shown, image } = next ?? { shown: this.#last };
    if (image) this.#take(image, Date.now());
    this.#last = shown;
    if (!shown?.picture) this.#events.want();
    const words = shown ? contents(shown) : '';
    if (shown) this.canvas.setAttribute('aria-label', t('picture.label', { camera: this.#name, found: words }));
    this.redraw();
    return words;
  }

  redraw() {
    const picture = this.#last ?? (this.#image && { ...sizeOf(this.#image), detections: [] });
    if (!picture) return;
    const old = this.#image && !this.#last?.picture;
    const note = old ? t('picture.old', { when: when(this.#imageAt) }) : pictureNote(this.#image);
    draw(this.canvas, { shown: picture, image: this.#image }, note);
  }

  close() {
    this.#events.close();
    this.#image?.close();
    this.#image = null;
    this.#last = null;
  }

  #lend({ image, at }) {
    if (this.#last?.picture || at <= this.#imageAt) return image.close();
    this.#take(image, at);
    if (!this.#last)
      this.canvas.setAttribute('aria-label', t('picture.before', { camera: this.#name, when: when(at) }));
    this.redraw();
  }

  #take(image, at) {
    this.#image?.close();
    this.#image = image;
    this.#imageAt = at;
  }
}

const sizeOf = ({ width, height }) => ({ width, height });

/** How many of what; what a mask hides does not count. */
export function contents({ answered, detections }) {
  if (!answered) return t('picture.unanswered');
  const counts = {};
  for (const { label, masked } of detections) if (!masked) counts[label] = (counts[label] ?? 0) + 1;
  return found(counts);
}
