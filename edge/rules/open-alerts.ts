import type { Log } from '../../platform/log.js';
import type { History } from '../store/history/history.js';
import type { Alert } from './types.js';

/** Alerts that nobody has closed, at most: beyond it the oldest are closed. */
export const MOST_OPEN = 2000;
/** Who closed what no person did: no account can have this name. */
export const BY_EDGE = '(edge)';

/** What is known of an alert that nobody has closed. */
export interface OpenAlert {
  id: string;
  rule: string;
  camera: string;
}

/**
 * Which alerts nobody has closed, and how many of each camera. Bounded: those that nobody will care for, because their rule or
 * camera is gone or there are too many, are closed with a note that says so; they stay in the history.
 */
export class OpenAlerts {
  /** By id, in the order in which they came. */
  readonly #alerts = new Map<string, OpenAlert>();
  readonly #counts = new Map<string, number>();
  /** What is being closed, one after the other. */
  #closing: Promise<void> = Promise.resolve();

  /**
   * @param close takes an alert that is closed now, to keep and to tell
   * @param most for tests
   */
  constructor(
    readonly history: Pick<History, 'alert' | 'flush'>,
    readonly close: (alert: Alert) => void,
    readonly log: Log,
    readonly most = MOST_OPEN,
  ) {}

  /** @param camera default: all of them */
  count(camera?: string): number {
    return camera === undefined ? this.#alerts.size : (this.#counts.get(camera) ?? 0);
  }

  /** An alert as it is now. */
  note({ id, rule, camera, state }: Pick<Alert, 'id' | 'rule' | 'camera' | 'state'>): void {
    if (state === 'closed') {
      this.forget([id]);
      return;
    }
    this.#add({ id, rule: rule.id, camera });
    const surplus = this.#alerts.size - this.most;
    if (surplus <= 0) return;
    this.#closeAll([...this.#alerts.values()].slice(0, surplus), `more than ${this.most} alerts were open`);
  }

  /**
   * What an earlier start left open, oldest first; those whose rule was removed meanwhile are closed.
   * @param rules ids of those that there are
   */
  restore(alerts: readonly OpenAlert[], rules: ReadonlySet<string>): void {
    const there = alerts.filter(({ rule }) => rules.has(rule));
    const gone = alerts.filter(({ rule }) => !rules.has(rule));
    for (const alert of there) this.#add(alert);
    this.#closeAll(gone, RULE_GONE);
    this.#closeAll(there.slice(0, Math.max(0, there.length - this.most)), `more than ${this.most} alerts were open`);
  }

  ruleRemoved(rule: string): void {
    this.#closeAll(this.#of('rule', rule), RULE_GONE);
  }

  cameraRemoved(camera: string): void {
    this.#closeAll(this.#of('camera', camera), 'its camera was removed');
  }

  /** They are no longer kept, or are closed. */
  forget(ids: readonly string[]): void {
    for (const id of ids) {
      const known = this.#alerts.get(id);
      if (!known) continue;
      this.#alerts.delete(id);
      const left = this.count(known.camera) - 1;
      if (left > 0) this.#counts.set(known.camera, left);
      else this.#counts.delete(known.camera);
    }
  }

  /** Ends when what is to be closed by now is. */
  done(): Promise<void> {
    return this.#closing;
  }

  #of(key: 'rule' | 'camera', value: string): OpenAlert[] {
    return [...this.#alerts.values()].filter((alert) => alert[key] === value);
  }

  #add(alert: OpenAlert): void {
    if (this.#alerts.has(alert.id)) return;
    this.#alerts.set(alert.id, alert);
    this.#counts.set(alert.camera, this.count(alert.camera) + 1);
  }

  /** Counted as closed at once; written one after the other. What cannot be written now is closed at the next start. */
  #closeAll(alerts: readonly OpenAlert[], note: string): void {
    if (alerts.length === 0) return;
    this.forget(alerts.map(({ id }) => id));
    this.log.info('alerts that nobody had closed are closed', { alerts: alerts.length, why: note });
    this.#closing = this.#closing
      .then(() => this.#write(alerts, note))
      .catch((error: unknown) => this.log.error('alerts could not be closed', { error }));
  }

  async #write(alerts: readonly OpenAlert[], note: string): Promise<void> {
    await this.history.flush();
    for (const { id } of alerts) {
      const known = await this.history.alert(id);
      if (!known || known.state === 'closed') continue;
      this.close({ ...known, state: 'closed', by: BY_EDGE, changed: Date.now(), note: known.note ?? note });
    }
    await this.history.flush();
  }
}

const RULE_GONE = 'its rule was removed';
