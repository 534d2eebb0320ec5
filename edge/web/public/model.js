/** What the page knows: devices with their last trips, and edges. */

export const TRIPS = 120;
/** Silent for so long, a device counts as away, ms. */
export const SILENT_MS = 30_000;

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
  heard = false;

  now() {
    return Date.now() + this.skew;
  }

  /** @param first whether this is the first message of a connection: then all devices follow anew */
  take(message, first) {
    if (first) this.devices.clear();
    this.heard = true;
    this.skew = message.now - Date.now();
    for (const view of message.devices) {
      const known = this.devices.get(view.name);
      const trips = known?.trips ?? [];
      for (const trip of view.trips) {
        const at = trips.findLastIndex((t) => t.frame === trip.frame && t.session === trip.session);
        if (at >= 0) trips[at] = trip;
        else trips.push(trip);
      }
      if (trips.length > TRIPS) trips.splice(0, trips.length - TRIPS);
      this.devices.set(view.name, { ...view, trips });
    }
    for (const name of message.gone ?? []) this.devices.delete(name);
    if (message.workers) this.workers = message.workers;
  }

  sorted() {
    return [...this.devices.values()].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  }

  present(device) {
    return device.online && this.now() - device.lastSeen < SILENT_MS;
  }
}

/** From picture to result, ms; NaN where nothing is known. */
export function total(trip) {
  if (trip.exact && Number.isFinite(trip.steps.total)) return trip.steps.total;
  let sum = 0;
  for (const step of STEPS) sum += trip.steps[step] ?? 0;
  return sum > 0 ? sum : Number.NaN;
}
