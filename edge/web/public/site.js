import { ApiError, api } from './api.js';
import { connect } from './parts/stream.js';

/** Silent for so long, a camera counts as silent, ms. */
const SILENT_MS = 30_000;
/** Alerts that are not closed and are kept here, at most. */
const ALERTS = 500;

/**
 * What the page knows of the site, kept up to date by one stream: cameras and alerts that nobody has closed. Events: `cameras` (detail: names that
 * changed), `event`, `alert` (detail: {type, alert}), `settings` (detail: `zones` or `rules`), `connection`, `fresh` when the
 * alerts were asked for, and `back` after a lost connection: what was missed meanwhile has to be asked for.
 */
class Site extends EventTarget {
  cameras = new Map();
  /** Open and acknowledged, by id. */
  alerts = new Map();
  /** Whether the edge has told of its cameras. */
  heard = false;
  /** false: this edge keeps no history, so there are no events, zones, rules and alerts. */
  history = true;
  /** {state: `good`, `wait` or `bad`, left: seconds until the next try} */
  connection = { state: 'wait', left: undefined };
  /** When something was heard last, by this machine's clock. */
  lastHeard = 0;
  #skew = 0;
  #stream;
  #lost = false;

  /** The edge's clock. */
  now() {
    return Date.now() + this.#skew;
  }

  start() {
    this.#stream = connect(
      '/api/v1/stream',
      {
        cameras: (message, first) => this.#onCameras(message, first),
        event: (message) => this.#tell('event', message),
        alert: (message) => this.#onAlert(message),
        settings: ({ changed }) => this.#tell('settings', changed),
      },
      {
        onState: (state, left) => {
          if (state === 'good') this.lastHeard = Date.now();
          if (state === 'bad') this.#lost = true;
          if (this.connection.state === state && this.connection.left === left) return;
          this.connection = { state, left };
          this.#tell('connection');
        },
      },
    );
  }

  retry() {
    this.#stream.retry();
  }

  /** Sorted as people count. */
  sorted() {
    return [...this.cameras.values()].sort((a, b) => order.compare(a.name, b.name));
  }

  /** `online`, `silent` or `offline`: as of now, or of when the edge was heard last. */
  stateOf({ state, last_seen }) {
    const at = this.connection.state === 'good' ? this.now() : this.lastHeard + this.#skew;
    return state === 'online' && at - last_seen >= SILENT_MS ? 'silent' : state;
  }

  /** Alerts of a camera that nobody has closed; of all without a name. */
  openAlerts(camera) {
    const all = [...this.alerts.values()];
    return camera === undefined ? all : all.filter((alert) => alert.camera === camera);
  }

  #onCameras({ now, cameras, gone }, first) {
    this.#skew = now - Date.now();
    if (first) this.cameras.clear();
    for (const camera of cameras) this.cameras.set(camera.name, camera);
    for (const name of gone) this.cameras.delete(name);
    this.heard = true;
    if (first) this.#refresh();
    if (first && this.#lost) this.#tell('back');
    if (first) this.#lost = false;
    this.#tell('cameras', new Set([...cameras.map(({ name }) => name), ...gone]));
  }

  #onAlert(message) {
    this.#keep(message.alert);
    this.#tell('alert', message);
  }

  #keep(alert) {
    if (alert.state === 'closed') this.alerts.delete(alert.id);
    else if (this.alerts.has(alert.id) || this.alerts.size < ALERTS) this.alerts.set(alert.id, alert);
  }

  async #refresh() {
    try {
      const pages = await Promise.all(
        ['open', 'acknowledged'].map((state) => api('/alerts', { query: { state, limit: ALERTS / 2 } })),
      );
      this.alerts.clear();
      for (const { alerts } of pages) for (const alert of alerts) this.#keep(alert);
      this.history = true;
    } catch (error) {
      if (error instanceof ApiError && error.code === 'no_history') this.history = false;
      // otherwise the connection has its own words for it, and comes back here
    }
    this.#tell('fresh');
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

const order = new Intl.Collator('en', { numeric: true });

export const site = new Site();
