import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { type Reason, reasonOf } from './reason.js';

/** What an attempt reports, each at most once, `onEnd` last and exactly once. */
export interface AttemptEvents {
  /** @param takes messages with QoS 1 that the broker takes at a time */
  onUp(takes: number): void;
  onMessage(topic: string, payload: Buffer, properties: MessageProperties): void;
  onEnd(reason: Reason): void;
}

/** What came with a message besides its payload (`retain` always, the others by MQTT 5 alone). */
export interface MessageProperties {
  responseTopic?: string;
  correlationData?: Buffer;
  /** Seconds that were left of the message's life when the broker sent it on. */
  messageExpiryInterval?: number;
  userProperties?: Record<string, string | string[]>;
  retain: boolean;
}

/** One connection from CONNECT to its end: a fresh client each time, so nothing of an old one can be sent late. */
export function attempt(url: string, settings: IClientOptions, events: AttemptEvents): MqttClient {
  const client = mqtt.connect(url, settings);
  let error: Error | undefined;
  let reason: Reason | undefined;
  let ended = false;
  client.on('connect', (packet) => {
    (client.stream as { setNoDelay?: (on: boolean) => void }).setNoDelay?.(true);
    events.onUp(packet.properties?.receiveMaximum ?? 65_535);
  });
  client.on('message', (topic, payload, packet) => {
    const { responseTopic, correlationData, messageExpiryInterval, userProperties } = packet.properties ?? {};
    const properties = { responseTopic, correlationData, messageExpiryInterval, userProperties, retain: packet.retain };
    events.onMessage(topic, payload, properties);
  });
  client.on('disconnect', (packet) => {
    const taken = packet.reasonCode === 142;
    reason = taken
      ? { text: 'another client connected under the same name', hint: 'Device names must be unique at a broker.' }
      : { text: packet.properties?.reasonString ?? `disconnected by the broker (reason ${packet.reasonCode ?? 0})` };
  });
  const end = () => {
    if (ended) return;
    ended = true;
    client.removeAllListeners('message');
    client.end(true);
    events.onEnd(reason ?? reasonOf(error));
  };
  client.on('error', (problem) => {
    error ??= problem;
    // A refused CONNACK is followed by `close`; an error of the socket too, but not in every release.
    setImmediate(() => !client.connected && end());
  });
  client.on('close', () => setImmediate(end));
  return client;
}
