/** What the page knows: devices with their last trips, and edges. */

export const TRIPS = 120;

export const STEPS = ['capture', 'preprocess', 'head', 'encode', 'up', 'queue', 'decode', 'tail', 'post', 'down'];
export const WHERE = {
  capture: 'device',
  preprocess: 'device',
  head: 'device',
  encode: 'device',
  up: 'network',
  queue: 'edge',
  decode: 'edge',
  tail: 'edge',
  post: 'edge',
  down: 'network',
};

export class Model {
  devices = new Map();
  workers = [];
  /** What the edge's clock is ahead of this one, ms. */
  skew = 0;

  now() {
    return Date.now() + this.skew;
  }

  /**
   * @param first whether this is the first message of a connection: then all devices follow anew
   * @param only the one device that is wanted
   */
  take(message, first, only) {
    if (first) this.devices.clear();
    this.skew = message.now - Date.now();
    for (const view of message.devices) {
      if (only !== undefined && view.name !== only) continue;
      const known = this.devices.get(view.name);
      this.devices.set(view.name, {
        ...view,
        decision: view.decision ?? known?.decision,
        trips: merge(known?.trips, view.trips),
        reasons: merge(known?.reasons, view.reasons),
      });
    }
    for (const name of message.gone ?? []) this.devices.delete(name);
    if (message.workers) this.workers = message.workers;
  }
}

/** What is kept of frames, with what came: the same frame again takes its place, one that comes late its own; the oldest make room. */
function merge(kept = [], news = []) {
  for (const one of news) {
    const at = kept.findLastIndex((k) => k.frame === one.frame && k.session === one.session);
    if (at >= 0) {
      kept[at] = one;
      continue;
    }
    let place = kept.length;
    while (place > 0 && kept[place - 1].session === one.session && kept[place - 1].frame > one.frame) place--;
    kept.splice(place, 0, one);
  }
  if (kept.length > TRIPS) kept.splice(0, kept.length - TRIPS);
  return kept;
}

/** From picture to result, ms; NaN where nothing is known. */
export function total(trip) {
  if (trip.exact && Number.isFinite(trip.steps.total)) return trip.steps.total;
  let sum = 0;
  for (const step of STEPS) sum += trip.steps[step] ?? 0;
  return sum > 0 ? sum : Number.NaN;
}
