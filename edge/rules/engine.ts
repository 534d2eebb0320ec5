import { randomBytes } from 'node:crypto';
import { advance, type Happening, idle, seenBy, type Watch } from './evaluate.js';
import type { PlacedDetection } from './places.js';
import type { Alert, Rule } from './types.js';

/** A gap of so long ends nothing, ms; where frames come seldom, this many of them. */
const PATIENCE_MS = 2000;
const PATIENCE_FRAMES = 2.5;
/** Frames further apart do not belong together, ms. */
const LONGEST_MS = 60_000;
/** What nobody has seen for so long is forgotten, ms. */
const FORGET_MS = 3_600_000;

export interface AlertChange {
  type: 'new' | 'update' | 'end';
  alert: Alert;
  rule: Rule;
}

interface Entry {
  watch: Watch;
  at: number;
  alert?: Alert;
}

/** All rules at all cameras, in the time that it is told. */
export class RuleEngine {
  #rules: readonly Rule[] = [];
  /** By rule and camera. */
  readonly #entries = new Map<string, Entry>();
  readonly #cameras = new Map<string, { at: number; interval: number }>();

  /** Rules that changed or went begin anew; their alerts end. */
  setRules(rules: readonly Rule[], now: number): AlertChange[] {
    const changes: AlertChange[] = [];
    for (const rule of this.#rules) {
      const same = rules.find(({ id }) => id === rule.id);
      if (same && same.updated === rule.updated) continue;
      for (const [key, entry] of this.#entries) {
        if (!key.startsWith(`${rule.id}/`)) continue;
        this.#entries.delete(key);
        if (entry.alert) changes.push({ type: 'end', alert: { ...entry.alert, ended: now }, rule });
      }
    }
    this.#rules = rules;
    return changes;
  }

  /** A frame of a camera. @param at never before its last one's */
  observe(camera: string, at: number, detections: readonly PlacedDetection[]): AlertChange[] {
    const patience = this.#heard(camera, at);
    const changes: AlertChange[] = [];
    for (const rule of this.#rules) {
      if (rule.cameras.length > 0 && !rule.cameras.includes(camera)) continue;
      const seen = seenBy(rule, detections);
      const key = `${rule.id}/${camera}`;
      const entry = this.#entries.get(key) ?? { watch: idle, at };
      const { watch, happened } = advance(entry.watch, rule, at, seen, patience);
      this.#keep(key, { ...entry, watch, at }, rule, camera, happened, seen.labels, changes);
    }
    return changes;
  }

  /** Whether an alert goes on. */
  has({ id, rule, camera }: Alert): boolean {
    return this.#entries.get(`${rule.id}/${camera}`)?.alert?.id === id;
  }

  /** What people did to an alert, if it goes on. */
  setState({ id, rule, camera, state, by, changed, note }: Alert): void {
    const entry = this.#entries.get(`${rule.id}/${camera}`);
    if (entry?.alert?.id === id) entry.alert = { ...entry.alert, state, by, changed, note };
  }

  /** The event behind an alert. @returns the alert as it is now; undefined if it no longer goes on */
  setEvent({ id, rule, camera }: Alert, event: string): Alert | undefined {
    const entry = this.#entries.get(`${rule.id}/${camera}`);
    if (entry?.alert?.id !== id) return undefined;
    entry.alert = { ...entry.alert, event };
    return entry.alert;
  }

  /** Time passed: alerts of cameras that went silent end. */
  tick(now: number): AlertChange[] {
    const changes: AlertChange[] = [];
    for (const [key, entry] of this.#entries) {
      const [id, camera] = key.split('/') as [string, string];
      const rule = this.#rules.find((known) => known.id === id);
      if (!rule) continue;
      const { watch, happened } = advance(entry.watch, rule, now, undefined, this.#patience(camera));
      this.#keep(key, { ...entry, watch }, rule, camera, happened, [], changes);
      const rest = Math.max(FORGET_MS, rule.cooldown_s * 1000);
      if (!watch.active && now - entry.at > rest) this.#entries.delete(key);
    }
    for (const [camera, { at }] of this.#cameras) if (now - at > FORGET_MS) this.#cameras.delete(camera);
    return changes;
  }

  #keep(
    key: string,
    entry: Entry,
    rule: Rule,
    camera: string,
    happened: Happening | undefined,
    labels: readonly string[],
    changes: AlertChange[],
  ): void {
    const { watch, at } = entry;
    if (happened === 'start') {
      const alert = alertOf(rule, camera, watch, at, labels);
      changes.push({ type: 'new', alert, rule });
      this.#entries.set(key, { ...entry, alert });
      return;
    }
    if (happened === 'more' && entry.alert) {
      const all = [...new Set([...entry.alert.labels, ...labels])];
      const alert = { ...entry.alert, count: watch.count, score: watch.score, labels: all };
      changes.push({ type: 'update', alert, rule });
      this.#entries.set(key, { ...entry, alert });
      return;
    }
    if (happened === 'end' && entry.alert) {
      changes.push({ type: 'end', alert: { ...entry.alert, ended: watch.endedAt }, rule });
      this.#entries.set(key, { watch, at });
      return;
    }
    this.#entries.set(key, entry);
  }

  /** @returns how long a gap may be */
  #heard(camera: string, at: number): number {
    const known = this.#cameras.get(camera);
    const passed = known ? at - known.at : 0;
    const interval =
      known && passed < LONGEST_MS ? known.interval + (passed - known.interval) / 8 : (known?.interval ?? 0);
    this.#cameras.set(camera, { at, interval });
    return this.#patience(camera);
  }

  #patience(camera: string): number {
    const { interval = 0 } = this.#cameras.get(camera) ?? {};
    return Math.min(LONGEST_MS, Math.max(PATIENCE_MS, interval * PATIENCE_FRAMES));
  }
}

function alertOf(rule: Rule, camera: string, watch: Watch, at: number, labels: readonly string[]): Alert {
  return {
    id: `${at.toString(36)}-${randomBytes(5).toString('hex')}`,
    rule: { id: rule.id, name: rule.name },
    camera,
    severity: rule.severity,
    message: sentence(rule, camera, watch, labels),
    zone: rule.zone,
    labels,
    count: watch.count,
    score: watch.score,
    started: watch.since ?? at,
    state: 'open',
    changed: at,
    snapshot: false,
  };
}

function sentence(rule: Rule, camera: string, { count }: Watch, labels: readonly string[]): string {
  const where = rule.zone === undefined ? camera : `${rule.zone}, ${camera}`;
  const long = rule.seconds > 0 ? ` for ${rule.seconds} s` : '';
  const what = labels.join(', ');
  if (rule.type === 'no_helmet') return `${rule.name}: ${count} without a helmet at ${where}${long}`;
  if (rule.type === 'count') return `${rule.name}: ${count} ${what}, more than ${rule.above ?? 0}, at ${where}${long}`;
  return `${rule.name}: ${what} at ${where}${long}`;
}
