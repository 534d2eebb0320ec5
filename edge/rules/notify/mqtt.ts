import type { Broker } from '../../../platform/mqtt.js';
import type { Topics } from '../../../protocol/topics.js';
import type { Alert } from '../types.js';
import type { Message, Sender } from './outbox.js';

/** Publishes alerts at `<base>/alerts/<camera>/<severity>`, QoS 1, not retained. */
export class MqttSender implements Sender {
  readonly digest = false;
  readonly everyMs = 0;

  constructor(
    readonly broker: Pick<Broker, 'publishAcknowledged'>,
    readonly topics: Topics,
  ) {}

  async send([{ body }]: readonly Message[]): Promise<void> {
    const { alert } = JSON.parse(body) as { alert: Alert };
    const delivery = await this.broker.publishAcknowledged(this.topics.alerts(alert.camera, alert.severity), body);
    if (delivery !== 'acknowledged') throw new Error(`the broker: ${delivery}`);
  }

  async close(): Promise<void> {}
}
