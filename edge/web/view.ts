import type { HealthMessage } from '../../protocol/health.js';
import type { EdgeStatus } from '../../protocol/status.js';
import type { LiveDecision, LiveDevice, LiveError, LiveReason, LiveStore, LiveTrip, Shown } from '../store/live.js';

/** Boxes of one picture that are sent to a page, at most. */
const BOXES = 200;

/** A device as the page gets it. Pictures and boxes are asked for apart, when they are to be seen. */
export interface DeviceView {
  name: string;
  online: boolean;
  /** Milliseconds since 1970. */
  lastSeen: number;
  bundle?: { id: string; name: string };
  versions?: Record<string, string>;
  counts: LiveDevice['counts'];
  health?: Omit<HealthMessage, 'v' | 'device' | 'bundle' | 'versions' | 'decision'>;
  /** The newest decision, unless the page was told it before. */
  decision?: LiveDecision;
  errors: readonly LiveError[];
  /** What `/api/devices/NAME/shown` would give now. */
  shown?: { session: number; frame: number; picture: boolean };
  /** Those that changed since the page was told last. */
  trips: readonly LiveTrip[];
  /** Those of the last decisions that the page was not told yet. */
  reasons: readonly LiveReason[];
}

/** @param since sequence up to which the page knows the device; -1: nothing */
export function deviceView(device: LiveDevice, since: number, now: number): DeviceView {
  const { name, online, lastSeen, counts, errors, health, decision, status } = device;
  const shown = device.shown(now);
  return {
    name,
    online,
    lastSeen,
    bundle: health?.bundle ?? status?.bundle,
    versions: health?.versions ?? status?.versions,
    counts,
    health: health && healthView(health),
    decision: decision && decision.sequence > since ? decision : undefined,
    errors,
    shown: shown && { session: shown.session, frame: shown.frame, picture: shown.snapshot !== undefined },
    trips: device.trips.filter((trip) => trip.sequence > since),
    reasons: device.reasons.filter((reason) => reason.sequence > since),
  };
}

function healthView(health: HealthMessage): DeviceView['health'] {
  const { v: _, device: __, bundle: ___, versions: ____, decision: _____, ...rest } = health;
  return rest;
}

/** An edge as the page gets it. */
export type WorkerView = EdgeStatus & { name: string; lastSeen: number };

export function workerViews(store: LiveStore): WorkerView[] {
  return store.workers().map(({ name, status, at }) => ({ ...status, name, lastSeen: at }));
}

/** Boxes as the page gets them. */
export function shownView({ session, frame, width, height, detections, snapshot, answered }: Shown): object {
  return {
    session,
    frame,
    width,
    height,
    answered,
    total: detections.length,
    detections: detections.slice(0, BOXES),
    ...(snapshot && {
      picture: { type: snapshot.type, width: snapshot.width, height: snapshot.height, from: snapshot.from },
    }),
  };
}

/** Everything at once, for programs: `GET /api/state`. */
export function stateView(store: LiveStore, now: number): object {
  return {
    now,
    devices: store.devices().map((device) => {
      const shown = device.shown(now);
      return { ...deviceView(device, -1, now), shown: shown && shownView(shown) };
    }),
    workers: workerViews(store),
  };
}
