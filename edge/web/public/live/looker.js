import { fetchShown } from '../technical/picture.js';

/** Requests at a time: the browser has six connections, and the stream holds one. */
const AT_ONCE = 3;
/** Between two pictures of one camera, ms: alone, and for each one more that is in sight. */
const LEAST_MS = 150;
const EACH_MS = 40;
const MOST_MS = 3000;
const TIMEOUT_MS = 8000;
/** Where there was nothing, the next look is so much later, ms. */
const NOTHING_MS = 2000;

/** Brings pictures of the cameras that are in sight, in turn; those that nobody sees cost nothing. */
export class Looker {
  #watched = new Map();
  #busy = 0;
  #signal;
  #observer;

  /** @param scope of the view */
  constructor(scope) {
    this.#signal = scope.signal;
    this.#observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        for (const one of this.#watched.values()) if (one.element === target) one.seen = isIntersecting;
      }
    });
    scope.onEnd(() => this.#observer.disconnect());
    scope.every(50, () => this.#turn());
  }

  /** @param show gets {shown, image}, and closes the image when it needs it no more; null: the edge has nothing to show */
  watch(name, element, show) {
    this.#watched.set(name, { name, element, show, seen: false, tag: undefined, at: 0, busy: false });
    this.#observer.observe(element);
  }

  unwatch(name) {
    const one = this.#watched.get(name);
    if (one) this.#observer.unobserve(one.element);
    this.#watched.delete(name);
  }

  #turn() {
    if (document.hidden) return;
    const seen = [...this.#watched.values()].filter((one) => one.seen);
    const gap = Math.min(MOST_MS, LEAST_MS + EACH_MS * seen.length);
    const now = performance.now();
    const due = seen.filter((one) => !one.busy && now - one.at >= gap).sort((a, b) => a.at - b.at);
    for (const one of due.slice(0, AT_ONCE - this.#busy)) this.#fetch(one);
  }

  async #fetch(one) {
    one.busy = true;
    one.at = performance.now();
    this.#busy++;
    try {
      const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(TIMEOUT_MS)]);
      const next = await fetchShown(one.name, { known: one.tag, signal });
      if (next === 'same') return;
      if (this.#signal.aborted || this.#watched.get(one.name) !== one) return next?.image?.close();
      if (next === null) one.at = performance.now() + NOTHING_MS;
      one.tag = next?.tag;
      one.show(next);
    } catch {
      // the banner says what is wrong with the connection; the last picture stays
      one.at = performance.now() + 1000;
    } finally {
      one.busy = false;
      this.#busy--;
    }
  }
}
