import { randomBytes } from 'node:crypto';
import { DeepcodError } from '../../platform/errors.js';
import type { Log } from '../../platform/log.js';
import type { Decision } from '../../protocol/decision.js';
import type { HealthMessage } from '../../protocol/health.js';
import { isFailure, type ResultMessage } from '../../protocol/result.js';
import type { History } from '../store/history/history.js';
import { Sampler } from '../store/history/sampler.js';
import { Settled } from '../store/history/settled.js';
import { type EventChange, EventTracker } from '../store/history/tracker.js';
import type { Shown } from '../store/live.js';
import { Choices } from './choices.js';
import { type AlertChange, RuleEngine } from './engine.js';
import { Eventless } from './eventless.js';
import type { Notifier } from './notify/notifier.js';
import { OpenAlerts } from './open-alerts.js';
import { checkPlace, type PlacedDetection, placeDetections } from './places.js';
import { RULES } from './rule.js';
import type { Alert, AlertState, Place, PlaceSettings, Rule, RuleSettings } from './types.js';

const TICK_MS = 1000;
/** Results that a device kept come in bursts: what they tell of is closed when none came for so long, ms. */
const LATE_MS = 10_000;
/** A device's clock may be wrong: times further away than this are not believed, ms. */
const BELIEVED_PAST_MS = 90 * 86_400_000;
const BELIEVED_FUTURE_MS = 86_400_000;
/** Between two pictures of one event, ms, and how much better the score of the next must be. */
const PICTURE_MS = 2000;
const BETTER = 0.02;

/** What happened, for those who listen. */
export type News =
  | ({ kind: 'event' } & EventChange)
  | { kind: 'alert'; type: AlertChange['type']; alert: Alert }
  | { kind: 'settings'; changed: 'zones' | 'rules' };

/**
 * The edge's memory and judgement: places detections in zones, makes events and samples of them, keeps those, and tells
 * when a rule holds. It is told what happens; it asks nobody.
 */
export class Site {
  readonly #settled: Settled;
  readonly #tracker = new EventTracker();
  /** Of results that were kept on a device while it was away: their times are of the past. */
  readonly #late = new EventTracker();
  #lateAt = 0;
  readonly #sampler: Sampler;
  readonly #engine = new RuleEngine();
  readonly #listeners = new Set<(news: News) => void>();
  readonly #choices = new Choices();
  /** Score and time of the picture of each event that goes on. */
  readonly #pictures = new Map<string, { score: number; at: number }>();
  readonly #eventless = new Eventless();
  /** Alerts that nobody has closed. */
  readonly #open: OpenAlerts;
  readonly #timer: NodeJS.Timeout;
  #places: readonly Place[] = [];
  #rules: readonly Rule[] = [];

  private constructor(
    readonly history: History,
    readonly notifier: Notifier,
    readonly log: Log,
  ) {
    this.#settled = new Settled(history.database);
    this.#open = new OpenAlerts(history, (alert) => this.#changed(alert), log);
    history.onUnclosedGone((ids) => this.#open.forget(ids));
    this.#sampler = new Sampler((camera, sample) => history.saveSample(camera, sample));
    this.#timer = setInterval(() => this.tick(Date.now()), TICK_MS);
    this.#timer.unref();
  }

  static async open(history: History, notifier: Notifier, log: Log): Promise<Site> {
    const site = new Site(history, notifier, log);
    await site.#settled.closeLeftovers();
    site.#places = await site.#settled.places();
    site.#rules = await site.#settled.rules();
    site.#engine.setRules(site.#rules, Date.now());
    site.#open.restore(await site.#settled.openAlerts(), new Set(site.#rules.map(({ id }) => id)));
    return site;
  }

  /** Must be quick and must not throw. @returns ends it */
  onNews(listener: (news: News) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  // What is told.

  /** The same answer, its detections with their zones and masks. */
  locate(camera: string, answer: ResultMessage): ResultMessage {
    if (isFailure(answer)) return answer;
    const places = this.#places.filter((place) => place.camera === camera);
    if (places.length === 0) return answer;
    return { ...answer, detections: [...placeDetections(answer.detections, places, answer)] };
  }

  /**
   * @param answer after `locate`
   * @param bytes of its frame message, where known
   * @param decision the newest of the device, where known
   */
  onAnswer(camera: string, answer: ResultMessage, bytes?: number, decision?: Decision, now = Date.now()): void {
    const late = !isFailure(answer) && answer.late === true;
    const at = late ? believed(answer.at, now) : now;
    this.#sampler.onAnswer(camera, at, answer, bytes);
    if (isFailure(answer)) return;
    if (late) {
      this.#lateAt = now;
      this.#events(this.#late.observe(camera, at, answer));
      return;
    }
    const change = this.#choices.changed(camera, answer, decision);
    if (change) this.history.saveChange(camera, { at, ...change });
    this.#events(this.#tracker.observe(camera, at, answer));
    this.#alerts(this.#engine.observe(camera, at, answer.detections));
    this.#findEvents(camera);
  }

  onHealth(camera: string, health: HealthMessage, now = Date.now()): void {
    this.#sampler.onHealth(camera, now, health);
  }

  /** A picture and the answer to the same frame. */
  onShown(camera: string, { snapshot, detections }: Shown, now = Date.now()): void {
    if (snapshot?.type !== 'image/jpeg') return;
    const best = new Map<string, number>();
    for (const { label, score, masked } of detections as readonly PlacedDetection[]) {
      if (!masked) best.set(label, Math.max(score, best.get(label) ?? 0));
    }
    for (const [label, score] of best) {
      const event = this.#tracker.current(camera, label);
      if (!event) continue;
      const kept = this.#pictures.get(event.id);
      if (kept && (score < kept.score + BETTER || now - kept.at < PICTURE_MS)) continue;
      this.#pictures.set(event.id, { score, at: now });
      this.history.savePicture(event.id, snapshot.data);
    }
  }

  /** Time passed. */
  tick(now: number): void {
    this.#events(this.#tracker.tick(now));
    if (this.#lateAt > 0 && now - this.#lateAt > LATE_MS) {
      this.#lateAt = 0;
      this.#events(this.#late.end());
    }
    this.#alerts(this.#engine.tick(now));
    this.#sampler.tick(now);
  }

  // What people set up.

  places(): readonly Place[] {
    return this.#places;
  }

  place(id: string): Place | undefined {
    return this.#places.find((place) => place.id === id);
  }

  /** @param id of the one that it takes the place of @throws DeepcodError `zone_invalid`, `zone_exists`, `zones_full` */
  async savePlace(settings: PlaceSettings, id = newId()): Promise<Place> {
    const others = this.#places.filter((place) => place.id !== id);
    checkPlace(settings, others);
    const place: Place = { id, ...settings, updated: Date.now() };
    await this.#settled.savePlace(place);
    this.#places = [...this.#places.filter((other) => other.id !== id), place];
    this.#tell({ kind: 'settings', changed: 'zones' });
    return place;
  }

  async deletePlace(id: string): Promise<void> {
    await this.#settled.deletePlace(id);
    this.#places = this.#places.filter((place) => place.id !== id);
    this.#tell({ kind: 'settings', changed: 'zones' });
  }

  rules(): readonly Rule[] {
    return this.#rules;
  }

  rule(id: string): Rule | undefined {
    return this.#rules.find((rule) => rule.id === id);
  }

  /** @throws DeepcodError `rules_full` */
  async saveRule(settings: RuleSettings, id = newId()): Promise<Rule> {
    const before = this.rule(id);
    if (!before && this.#rules.length >= RULES) {
      throw new DeepcodError('rules_full', `there are ${RULES} rules already`, 'Remove one.');
    }
    const rule: Rule = { id, ...settings, updated: Math.max(Date.now(), (before?.updated ?? 0) + 1) };
    await this.#settled.saveRule(rule);
    this.#setRules([...this.#rules.filter((other) => other.id !== id), rule]);
    return rule;
  }

  async deleteRule(id: string): Promise<void> {
    await this.#settled.deleteRule(id);
    this.#setRules(this.#rules.filter((rule) => rule.id !== id));
    this.#open.ruleRemoved(id);
  }

  // Alerts, and what people do about them.

  /** How many alerts nobody has closed, of a camera or of all. */
  openAlerts(camera?: string): number {
    return this.#open.count(camera);
  }

  /** A camera was taken away: nobody will look after its alerts. */
  onRemoved(camera: string): void {
    this.#choices.forget(camera);
    this.#eventless.forget(camera);
    this.#open.cameraRemoved(camera);
  }

  /** @throws DeepcodError `alert_unknown`, `history_failing` */
  async setAlert(id: string, state: AlertState, by: string, note?: string): Promise<Alert> {
    const known = await this.history.alert(id);
    if (!known) throw new DeepcodError('alert_unknown', `there is no alert ${id}`);
    const alert: Alert = { ...known, state, by, changed: Date.now(), ...(note !== undefined && { note }) };
    this.#changed(alert);
    await this.history.flush();
    return alert;
  }

  /** Ends what goes on, and writes it. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#events([...this.#tracker.end(), ...this.#late.end()]);
    this.#alerts(this.#engine.setRules([], Date.now()));
    this.#sampler.end();
    await this.#open.done();
    await this.notifier.close();
    await this.history.close();
  }

  #setRules(rules: readonly Rule[]): void {
    this.#rules = rules;
    this.#alerts(this.#engine.setRules(rules, Date.now()));
    this.#tell({ kind: 'settings', changed: 'rules' });
  }

  #events(changes: readonly EventChange[]): void {
    for (const change of changes) {
      this.history.saveEvent(change.after);
      if (change.type === 'end') this.#pictures.delete(change.after.id);
      const snapshot = this.history.pictures.has(change.after.id);
      this.#tell({ kind: 'event', ...change, after: { ...change.after, snapshot } });
    }
  }

  #alerts(changes: readonly AlertChange[]): void {
    for (const change of changes) {
      const { alert } = change;
      this.#eventless.note(change);
      this.history.saveAlert(alert);
      this.notifier.onAlert(change);
      this.#open.note(alert);
      this.#tell({ kind: 'alert', type: change.type, alert });
    }
  }

  /** What people, or the edge, did to an alert. */
  #changed(alert: Alert): void {
    this.#engine.setState(alert);
    this.history.saveAlertState(alert);
    this.#open.note(alert);
    this.#tell({ kind: 'alert', type: 'update', alert });
  }

  /** Brings alerts together with the events that set them off. */
  #findEvents(camera: string): void {
    this.#eventless.settle(camera, (alert) => {
      const event = alert.labels.map((label) => this.#tracker.current(camera, label)).find(Boolean);
      if (!event) return !this.#engine.has(alert);
      const known = this.#engine.setEvent(alert, event.id);
      if (known) this.history.saveAlert(known);
      return true;
    });
  }

  #tell(news: News): void {
    for (const listener of this.#listeners) listener(news);
  }
}

const newId = (): string => randomBytes(8).toString('hex');

function believed(at: number | undefined, now: number): number {
  if (at === undefined || at < now - BELIEVED_PAST_MS || at > now + BELIEVED_FUTURE_MS) return now;
  return Math.floor(at);
}
