import { Scope } from './scope.js';

/**
 * Views by address: `#/camera/gate?tab=1` is view `camera` with path `['gate']` and a query. One view is there at a time; the
 * scope of the one before ends first.
 */
export class Router {
  #views;
  #scope;
  #current = '';
  #onShow;

  /**
   * @param views by name: (route with `keep`, scope) => {title, element}; the first is the default
   * @param onShow (route, {title, element}) puts it on the page
   */
  constructor(views, onShow) {
    this.#views = views;
    this.#onShow = onShow;
  }

  start() {
    addEventListener('hashchange', () => this.#go());
    this.#go();
  }

  #go() {
    // other fragments are places on the page, not views
    if (location.hash !== '' && !location.hash.startsWith('#/')) return;
    if (location.hash === this.#current && this.#scope) return;
    this.#current = location.hash;
    const route = parseRoute(location.hash, Object.keys(this.#views));
    this.#scope?.end();
    this.#scope = new Scope();
    this.#onShow(route, this.#views[route.view]({ ...route, keep: (hash) => this.keep(hash) }, this.#scope));
  }

  /** Changes the address without a new view: what is searched for, say. */
  keep(hash) {
    this.#current = hash;
    history.replaceState(null, '', hash);
  }
}

/** @param known names of views; others give the first */
export function parseRoute(hash, known) {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [view, ...rest] = path.split('/').filter(Boolean);
  const decoded = rest.map(decode);
  const route =
    known.includes(view) && !decoded.includes(null) ? { view, path: decoded } : { view: known[0], path: [] };
  return { ...route, query: Object.fromEntries(new URLSearchParams(query)) };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** Address of a view. */
export function link(view, path = [], query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const search = given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
  return `#/${[view, ...path.map(encodeURIComponent)].join('/')}${search}`;
}
