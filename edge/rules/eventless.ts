import type { AlertChange } from './engine.js';
import type { Alert } from './types.js';

/** Alerts that were quicker than their event, by camera: a rule may hold a frame before an event has begun. */
export class Eventless {
  readonly #waiting = new Map<string, Alert[]>();

  /** A new alert waits for its event, until it has ended. */
  note({ type, alert }: AlertChange): void {
    const waiting = (this.#waiting.get(alert.camera) ?? []).filter(({ id }) => id !== alert.id || type !== 'end');
    if (type === 'new') waiting.push(alert);
    this.#keep(alert.camera, waiting);
  }

  /** @param settled whether an alert waits no more */
  settle(camera: string, settled: (alert: Alert) => boolean): void {
    const waiting = this.#waiting.get(camera);
    if (waiting)
      this.#keep(
        camera,
        waiting.filter((alert) => !settled(alert)),
      );
  }

  forget(camera: string): void {
    this.#waiting.delete(camera);
  }

  #keep(camera: string, alerts: Alert[]): void {
    if (alerts.length > 0) this.#waiting.set(camera, alerts);
    else this.#waiting.delete(camera);
  }
}
