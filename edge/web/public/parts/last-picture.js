import { api } from '../api.js';
import { site } from '../site.js';

/** Of so many of a camera's last events one may have a picture. */
const LOOK_BACK = 20;
/** Between two looks, ms. */
const LEAST_MS = 15_000;

/**
 * The picture of a camera's last event that has one, for a camera without pictures at present. Looked for once, and again when
 * the camera has seen something.
 */
export class LastPicture {
  #camera;
  #show;
  #scope;
  #asked = false;
  #last;
  #again;

  /** @param show gets {image, at}; the image is then its own */
  constructor(camera, show, scope) {
    this.#camera = camera;
    this.#show = show;
    this.#scope = scope;
    const news = ({ detail: { after } }) => after.camera === camera && this.#soon();
    site.addEventListener('event', news);
    site.addEventListener('back', this.#renew);
    this.close = () => {
      site.removeEventListener('event', news);
      site.removeEventListener('back', this.#renew);
      clearTimeout(this.#again);
      this.#show = undefined;
    };
    scope.onEnd(this.close);
  }

  /** There is no other picture: look for one, unless that was done. */
  want() {
    if (this.#asked || !site.history) return;
    this.#asked = true;
    this.#look();
  }

  #renew = () => this.#asked && this.#look();

  #soon() {
    if (!this.#asked) return;
    this.#again ??= setTimeout(() => {
      this.#again = undefined;
      this.#look();
    }, LEAST_MS);
  }

  async #look() {
    const { signal } = this.#scope;
    try {
      const { events } = await api('/events', { query: { camera: this.#camera, limit: LOOK_BACK }, signal });
      const event = events.find(({ snapshot }) => snapshot);
      if (!event || event.id === this.#last) return;
      const response = await fetch(`/api/v1/events/${event.id}/snapshot`, { signal });
      if (!response.ok) return;
      const image = await createImageBitmap(await response.blob());
      if (!this.#show) return image.close();
      this.#last = event.id;
      this.#show({ image, at: event.best_at });
    } catch {
      // the tile says that there is no picture; the next event or connection is the next try
    }
  }
}
