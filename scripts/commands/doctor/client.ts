import { randomBytes } from 'node:crypto';
import mqtt, { type MqttClient } from 'mqtt';
import { matchesFilter } from '../../../platform/mqtt/filter.js';
import { clientSettings } from '../../../platform/mqtt/settings.js';
import type { BrokerConfig } from '../../../platform/mqtt.js';

/** Why a broker did not take us. */
export interface Refusal {
  /** Reason code of its CONNACK (1..5, or 128 and above with MQTT 5). */
  connack?: number;
  /** What the socket, TLS or the library said. */
  error?: Error & { code?: string | number };
}

/** What the broker said to a message with QoS 1: its reason code (128 and above is a refusal), or nothing. */
export interface Acknowledgement {
  code?: number;
  /** Time until the acknowledgement, ms. */
  ms: number;
}

type Handler = (topic: string, payload: Buffer, retained: boolean) => void;

/** One connection to the broker under a name of its own: the running agent keeps its. */
export class DoctorClient {
  readonly #handlers: { filter: string; handler: Handler }[] = [];

  private constructor(
    readonly client: MqttClient,
    /** 4 is MQTT 3.1.1. */
    readonly version: 4 | 5,
  ) {
    client.on('error', () => {});
    client.on('message', (topic, payload, { retain }) => {
      for (const { filter, handler } of this.#handlers)
        if (matchesFilter(filter, topic)) handler(topic, payload, retain);
    });
  }

  /** Asks for MQTT 5, and for 3.1.1 where that is refused, unless the configuration names one. Never rejects for a refusal. */
  static async open(broker: BrokerConfig, signal: AbortSignal): Promise<DoctorClient | Refusal> {
    const versions: (4 | 5)[] = broker.version === 'auto' ? [5, 4] : [broker.version === '5' ? 5 : 4];
    let refusal: Refusal = {};
    for (const version of versions) {
      const outcome = await attempt(broker, version, signal);
      if (outcome instanceof DoctorClient) return outcome;
      refusal = outcome;
      const older = refusal.connack === 1 || refusal.connack === 132 || refusal.error === undefined;
      if (!older || signal.aborted) break;
    }
    return refusal;
  }

  /** @internal */
  static made(client: MqttClient, version: 4 | 5): DoctorClient {
    return new DoctorClient(client, version);
  }

  /** @returns the granted QoS, or the broker's code of refusal (128 and above) */
  async subscribe(filter: string, handler: Handler): Promise<number> {
    this.#handlers.push({ filter, handler });
    return new Promise((resolve) => {
      this.client.subscribe(filter, { qos: 1 }, (error, granted) => {
        const code = granted?.[0]?.qos ?? (error as { code?: number } | null)?.code;
        resolve(error && (code === undefined || code < 128) ? 128 : (code ?? 0));
      });
    });
  }

  async unsubscribe(filter: string): Promise<void> {
    await this.client.unsubscribeAsync(filter);
  }

  /** Publishes with QoS 0. */
  send(topic: string, payload: Uint8Array, responseTopic?: string): void {
    const properties = this.version === 5 && responseTopic !== undefined ? { properties: { responseTopic } } : {};
    this.client.publish(topic, Buffer.from(payload), { qos: 0, ...properties });
  }

  /** Publishes with QoS 1 and waits for the acknowledgement; rejects when the signal is aborted. */
  publish(topic: string, payload: Uint8Array, signal: AbortSignal): Promise<Acknowledgement> {
    const start = performance.now();
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      this.client.publish(topic, Buffer.from(payload), { qos: 1 }, (error) => {
        signal.removeEventListener('abort', abort);
        const code = (error as { code?: unknown } | null)?.code;
        const ms = performance.now() - start;
        if (error && typeof code !== 'number') reject(error);
        else resolve(typeof code === 'number' ? { code, ms } : { ms });
      });
    });
  }

  get connected(): boolean {
    return this.client.connected;
  }

  async close(): Promise<void> {
    await this.client.endAsync(true);
  }
}

function attempt(broker: BrokerConfig, version: 4 | 5, signal: AbortSignal): Promise<DoctorClient | Refusal> {
  const clientId = `deepcod-doctor-${randomBytes(4).toString('hex')}`;
  const client = mqtt.connect(broker.url, clientSettings({ broker, clientId }, version));
  return new Promise((resolve) => {
    let refusal: Refusal = {};
    const refuse = () => {
      signal.removeEventListener('abort', refuse);
      client.removeAllListeners();
      client.on('error', () => {});
      client.end(true);
      resolve(refusal);
    };
    client.once('connect', () => {
      // The signal is that of logging in alone: the connection outlives it.
      signal.removeEventListener('abort', refuse);
      client.removeAllListeners('close');
      resolve(DoctorClient.made(client, version));
    });
    client.once('error', (error: Error & { code?: string | number }) => {
      refusal = typeof error.code === 'number' ? { connack: error.code } : { error };
      setImmediate(refuse);
    });
    client.once('close', () => setImmediate(refuse));
    signal.addEventListener('abort', refuse, { once: true });
  });
}
