import type { Log } from './log.js';
import { Broker } from './mqtt/broker.js';
import type { MqttOptions } from './mqtt/options.js';

export type { MessageProperties } from './mqtt/attempt.js';
export { Broker, type Delivery, type MessageHandler, type PublishOptions } from './mqtt/broker.js';
export { type BrokerConfig, brokerSchema, type MqttOptions } from './mqtt/options.js';

/**
 * Starts connecting to a broker and returns at once; it goes on until `close()`.
 * @throws DeepcodError for settings that cannot work: a bad address, an unreadable secret
 */
export function connectMqtt(options: MqttOptions, log: Log): Broker {
  return new Broker(options, log);
}
