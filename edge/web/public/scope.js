/**
 * The lifetime of a view: what it listens to, asks for and repeats ends with it, so that a page that is open for days holds
 * no more than what is on the screen.
 */
export class Scope {
  #end = new AbortController();
  #timers = new Set();

  /** For fetch and addEventListener. */
  get signal() {
    return this.#end.signal;
  }

  get over() {
    return this.#end.signal.aborted;
  }

  on(target, type, listener, options = {}) {
    target.addEventListener(type, listener, { ...options, signal: this.signal });
  }

  every(ms, work) {
    const timer = setInterval(work, ms);
    this.#timers.add(timer);
    return timer;
  }

  after(ms, work) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
    return timer;
  }

  /** Called at the end. */
  onEnd(work) {
    this.signal.addEventListener('abort', work, { once: true });
  }

  end() {
    this.#end.abort();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
