import type { Log } from '../../../platform/log.js';
import type { Database } from '../../store/history/tables.js';
import type { AlertChange } from '../engine.js';
import { type Target, targets } from '../types.js';
import { Outbox, type OutboxCounts, type Sender } from './outbox.js';

/** Tells the world outside of alerts, as each rule says. */
export class Notifier {
  private constructor(
    readonly outbox: Outbox,
    readonly senders: ReadonlyMap<Target, Sender>,
  ) {}

  static async open(database: Database, senders: ReadonlyMap<Target, Sender>, log: Log): Promise<Notifier> {
    return new Notifier(await Outbox.open(database, senders, log), senders);
  }

  /** What is set up. */
  get targets(): Record<Target, boolean> {
    return Object.fromEntries(targets.map((target) => [target, this.senders.has(target)])) as Record<Target, boolean>;
  }

  get waiting(): number {
    return this.outbox.counts.waiting;
  }

  get counts(): OutboxCounts {
    return this.outbox.counts;
  }

  /** A new alert, or the end of one (not by e-mail: one mail is enough). */
  onAlert({ type, alert, rule }: AlertChange): void {
    if (type === 'update') return;
    const body = JSON.stringify({ v: 1, type, alert });
    for (const target of rule.notify) {
      if (target === 'email' && type === 'end') continue;
      this.outbox.push(target, `${alert.id}-${type}-${target}`, body);
    }
  }

  close(): Promise<void> {
    return this.outbox.close();
  }
}
