/** What people set up, and what comes of it. Times are milliseconds since 1970, shares are 0 to 1. */

export const severities = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof severities)[number];
export const targets = ['mqtt', 'webhook', 'email'] as const;
export type Target = (typeof targets)[number];

/** [x, y] as shares of the picture. */
export type Point = readonly [x: number, y: number];

/** A polygon in a camera's picture: what is in a zone is tagged with it, what is in a mask is not seen. */
export interface PlaceSettings {
  camera: string;
  name: string;
  kind: 'zone' | 'mask';
  /** The point of a box that must lie inside: the middle of its lower edge, or its centre. */
  anchor: 'foot' | 'centre';
  points: readonly Point[];
}

export interface Place extends PlaceSettings {
  id: string;
  updated: number;
}

/** On these days (0: Sunday), from one local time to another; not later: until then on the next day. */
export interface Hours {
  days: readonly number[];
  /** HH:MM */
  from: string;
  to: string;
}

export interface RuleSettings {
  name: string;
  enabled: boolean;
  /** One of `labels` is there; more than `above` are there; a bare head is there. */
  type: 'presence' | 'count' | 'no_helmet';
  /** Empty: all. */
  cameras: readonly string[];
  /** Empty: all; for no_helmet: `head`. */
  labels: readonly string[];
  zone?: string;
  /** For so long it must hold. */
  seconds: number;
  above?: number;
  min_score: number;
  severity: Severity;
  /** Empty: always. */
  schedule: readonly Hours[];
  /** From the end of an alert to the next one. */
  cooldown_s: number;
  notify: readonly Target[];
}

export interface Rule extends RuleSettings {
  id: string;
  updated: number;
}

export const alertStates = ['open', 'acknowledged', 'closed'] as const;
export type AlertState = (typeof alertStates)[number];

/** A rule held for as long as it says. */
export interface Alert {
  id: string;
  rule: { id: string; name: string };
  camera: string;
  severity: Severity;
  message: string;
  zone?: string;
  labels: readonly string[];
  /** Most at one time. */
  count: number;
  score: number;
  started: number;
  /** Absent while it holds. */
  ended?: number;
  state: AlertState;
  /** Who changed the state, and when. */
  by?: string;
  changed: number;
  note?: string;
  event?: string;
  snapshot: boolean;
}
