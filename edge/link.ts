import type { Log } from '../platform/log.js';
import { type Broker, type BrokerConfig, connectMqtt, type MessageProperties } from '../platform/mqtt.js';
import { TRACEPARENT } from '../platform/traces/span.js';
import { type EdgeStatus, LEAVING, OFFLINE } from '../protocol/status.js';
import { parseTimeout, TIMEOUT_PROPERTY } from '../protocol/timeout.js';
import type { Topics } from '../protocol/topics.js';
import type { FrameProperties } from './worker/intake.js';
import type { Address } from './worker/job.js';

/** An answer is of no use to its device after this long, seconds; MQTT 5 brokers then drop it. */
const answerExpiry = 10;

export interface LinkOptions {
  broker: BrokerConfig;
  /** Of the broker in this process. */
  password?: string;
  topics: Topics;
  worker: string;
  /** Workers of one group share the frames out among them, where the broker speaks MQTT 5. */
  share: string;
  statusIntervalMs: number;
  onFrame(topic: string, payload: Buffer, properties: FrameProperties): void;
  status(): EdgeStatus;
}

/** The worker's place at the broker: frames in, answers out, a retained status with a last will. */
export class EdgeLink {
  readonly broker: Broker;
  readonly #options: LinkOptions;
  readonly #statusTopic: string;
  readonly #timer: NodeJS.Timeout;
  #leaving = false;

  /** Starts connecting and goes on until `close()`. @throws DeepcodError for settings that cannot work */
  constructor(options: LinkOptions, log: Log) {
    const { topics, worker } = options;
    this.#options = options;
    this.#statusTopic = topics.edgeStatus(worker);
    this.broker = connectMqtt(
      {
        broker: options.broker,
        password: options.password,
        clientId: `${topics.base.replaceAll('/', '-')}-edge-${worker}`,
        will: { topic: this.#statusTopic, payload: OFFLINE, retain: true },
      },
      log,
    );
    this.broker.onUp(() => {
      // The last will has said offline by then, and that is true already.
      if (this.#leaving) return;
      this.#subscribe();
      this.publishStatus();
    });
    this.#timer = setInterval(() => this.publishStatus(), options.statusIntervalMs);
  }

  /** @returns false if there is no connection */
  answer(to: Address, text: string): boolean {
    const { correlationData } = to;
    return this.broker.publish(to.topic, text, { expirySeconds: answerExpiry, correlationData });
  }

  /** No more frames, and offline from now on. Answers to what is under way can still be sent. */
  leave(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    clearInterval(this.#timer);
    const { filters } = this.#options.topics;
    for (const filter of [this.#frames, filters.framesTo(this.#options.worker)]) this.broker.unsubscribe(filter);
    this.broker.publish(this.#statusTopic, LEAVING, { qos: 1, retain: true });
  }

  /** Says goodbye: status offline, then the connection ends. */
  async close(): Promise<void> {
    this.leave();
    this.broker.publish(this.#statusTopic, OFFLINE, { qos: 1, retain: true });
    await this.broker.close();
  }

  /** MQTT 5: the broker shares frames out among the workers of a group. 3.1.1: every worker gets every frame. */
  get #frames(): string {
    const { topics, share } = this.#options;
    return this.broker.version === 5 ? topics.filters.allFramesShared(share) : topics.filters.allFrames();
  }

  #subscribe(): void {
    const { topics, worker, onFrame } = this.#options;
    const handle = (topic: string, payload: Buffer, { userProperties, ...properties }: MessageProperties) =>
      onFrame(topic, payload, {
        ...properties,
        timeoutMs: parseTimeout(userProperties?.[TIMEOUT_PROPERTY]),
        traceparent: userProperties?.[TRACEPARENT],
      });
    const wanted = this.#frames;
    this.broker.subscribe(wanted, (topic, payload, properties) => {
      // A broker that was replaced by one of another version: only the latest subscription counts.
      if (wanted === this.#frames) handle(topic, payload, properties);
    });
    this.broker.subscribe(topics.filters.framesTo(worker), handle);
  }

  /** Publishes the status: at each interval, and when there is news. */
  publishStatus(): void {
    this.broker.publish(this.#statusTopic, JSON.stringify(this.#options.status()), { qos: 1, retain: true });
  }
}
