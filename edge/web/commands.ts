import type { Broker } from '../../platform/mqtt.js';
import type { PartitionCommand } from '../../protocol/command.js';
import type { Topics } from '../../protocol/topics.js';

/** What this edge may tell devices to do. */
export class Commands {
  constructor(
    readonly broker: Pick<Broker, 'publish'>,
    readonly topics: Topics,
  ) {}

  /** @returns false when the broker does not take it */
  partition(device: string, { partition, rate }: PartitionCommand): boolean {
    const text = JSON.stringify({ partition, rate });
    return this.broker.publish(this.topics.command(device, 'partition'), text, { qos: 1 });
  }

  /** Clears what the broker keeps of a device that is gone for good. @returns false when the broker does not take it */
  remove(device: string): boolean {
    const { topics, broker } = this;
    return [topics.status(device), topics.health(device), topics.updateStatus(device)].every((topic) =>
      broker.publish(topic, '', { qos: 1, retain: true }),
    );
  }
}
