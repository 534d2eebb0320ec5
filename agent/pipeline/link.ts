import type { Log } from '../../platform/log.js';
import { type Broker, connectMqtt } from '../../platform/mqtt.js';
import type { HealthMessage } from '../../protocol/health.js';
import { type DeviceStatus, OFFLINE, parseStatus } from '../../protocol/status.js';
import { Topics } from '../../protocol/topics.js';
import type { AgentConfig } from '../config/config.js';
import type { EdgeWatch } from '../partition/edges.js';
import type { Arrival, Matcher } from './match.js';

/** Everything the agent says and hears at the broker. */
export class AgentLink {
  readonly broker: Broker;
  readonly #topics: Topics;
  readonly #device: string;
  readonly #expirySeconds: number;

  /**
   * @param status what is announced, retained, while connected
   * @param arrived told what each message on the result topic was
   */
  constructor(
    config: AgentConfig,
    status: DeviceStatus,
    matcher: Matcher,
    edges: EdgeWatch,
    arrived: (arrival: Arrival) => void,
    log: Log,
  ) {
    this.#topics = new Topics(config.base);
    this.#device = config.device;
    this.#expirySeconds = Math.ceil(config.timeout_ms / 1000);
    const statusTopic = this.#topics.status(config.device);
    this.broker = connectMqtt(
      {
        broker: config.broker,
        clientId: `deepcod-${config.device}`.slice(0, 64),
        will: { topic: statusTopic, payload: OFFLINE },
      },
      log,
    );
    this.broker.subscribe(this.#topics.result(config.device), (_, payload) => arrived(matcher.arrive(payload)));
    this.broker.subscribe(this.#topics.filters.allEdgeStatus(), (topic, payload) => {
      const about = this.#topics.parse(topic);
      if (about?.kind !== 'edge-status') return;
      try {
        edges.announce(about.worker, parseStatus(payload));
      } catch (error) {
        log.warn('an edge announced itself in a form that is not understood', { worker: about.worker, error });
      }
    });
    this.broker.onUp(() => this.broker.publish(statusTopic, JSON.stringify(status), { qos: 1, retain: true }));
    this.broker.onDown(() => {
      edges.forget();
      matcher.giveUp('broker_lost');
    });
  }

  /** @returns false when the socket does not take it */
  publishFrame(message: Uint8Array): boolean {
    return this.broker.publish(this.#topics.frame(this.#device), message, {
      expirySeconds: this.#expirySeconds,
      responseTopic: this.#topics.result(this.#device),
    });
  }

  /** A result that was made here. @param json see protocol/result.ts */
  publishResult(json: string): boolean {
    return this.broker.publish(this.#topics.result(this.#device), json, { expirySeconds: this.#expirySeconds });
  }

  publishHealth(health: HealthMessage): boolean {
    return this.broker.publish(this.#topics.health(this.#device), JSON.stringify(health), { retain: true });
  }

  /** Says goodbye and closes. */
  async close(): Promise<void> {
    this.broker.publish(this.#topics.status(this.#device), OFFLINE, { qos: 1, retain: true });
    await this.broker.close();
  }
}
