import type { MqttClient } from 'mqtt';
import type { Log } from '../log.js';
import { retryDelays } from '../retry.js';
import { attempt, type MessageProperties } from './attempt.js';
import { matchesFilter } from './filter.js';
import type { MqttOptions } from './options.js';
import type { Reason } from './reason.js';
import { clientSettings } from './settings.js';

export type MessageHandler = (topic: string, payload: Buffer, properties: MessageProperties) => void;

export interface PublishOptions {
  qos?: 0 | 1;
  retain?: boolean;
  /** MQTT 5 only, left out on 3.1.1. Seconds after which the broker drops the message. */
  expirySeconds?: number;
  responseTopic?: string;
  correlationData?: Buffer;
  userProperties?: Record<string, string>;
}

/**
 * What came of a message that the broker is to acknowledge. `acknowledged`: the broker has it. `refused`: it said no
 * (MQTT 5). `lost`: nobody knows; it was not sent, or the connection ended first.
 */
export type Delivery = 'acknowledged' | 'refused' | 'lost';

/** How often a lasting absence is said again, ms. */
const reminderMs = 60_000;

/**
 * The connection to a broker for as long as the process lives: connects, and connects again after a loss, with jittered
 * delays. Says clearly, and not too often, when the broker is absent, goes away, or comes back. Queues nothing.
 */
export class Broker {
  readonly #options: MqttOptions;
  readonly #log: Log;
  readonly #subscriptions = new Map<string, { qos: 0 | 1; handler: MessageHandler }>();
  readonly #upListeners: (() => void)[] = [];
  readonly #downListeners: (() => void)[] = [];
  readonly #maxWaiting: number;
  /** Messages whose acknowledgement is waited for. */
  readonly #open = new Set<(delivery: Delivery) => void>();
  #mostOpen = 1;
  #version: 4 | 5;
  #delays = retryDelays();
  #client: MqttClient | undefined;
  #timer: NodeJS.Timeout | undefined;
  #up = false;
  #closed = false;
  #refusedHere = 0;
  #downSince: number | undefined;
  #saidAt = 0;

  /** @throws DeepcodError when settings or secrets are unusable (then nothing is retried) */
  constructor(options: MqttOptions, log: Log) {
    this.#options = options;
    this.#log = log;
    this.#version = options.broker.version === '3.1.1' ? 4 : 5;
    this.#maxWaiting = options.maxWaitingBytes ?? 4 * 1024 * 1024;
    this.#connect(clientSettings(options, this.#version));
  }

  /** The address, without secrets. */
  get url(): string {
    return this.#options.broker.url;
  }

  get connected(): boolean {
    return this.#up;
  }

  /** MQTT version in use: 4 is 3.1.1. */
  get version(): 4 | 5 {
    return this.#version;
  }

  /** Bytes that wait in the socket. */
  get waitingBytes(): number {
    return (this.#client?.stream as { writableLength?: number } | undefined)?.writableLength ?? 0;
  }

  /** How many more messages `publishAcknowledged` takes now. */
  get room(): number {
    return Math.max(0, this.#mostOpen - this.#open.size);
  }

  /** Called now if connected, and whenever a connection is there (subscriptions are asked for by then). */
  onUp(listener: () => void): void {
    this.#upListeners.push(listener);
    if (this.#up) listener();
  }

  /** Called whenever a connection is lost. */
  onDown(listener: () => void): void {
    this.#downListeners.push(listener);
  }

  /** Waits for the connection. @returns false when the time is over */
  async ready(timeoutMs: number): Promise<boolean> {
    if (this.#up) return true;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), timeoutMs).unref();
      this.#upListeners.push(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }

  /** Subscribes now and after every reconnect. One handler per filter; the handler must not throw. */
  subscribe(filter: string, handler: MessageHandler, qos: 0 | 1 = 0): void {
    this.#subscriptions.set(filter, { qos, handler });
    if (this.#up) this.#ask([filter]);
  }

  /** Asks for no more of what a filter let through. What is on its way already still comes. */
  unsubscribe(filter: string): void {
    if (this.#subscriptions.has(filter) && this.#up) this.#client?.unsubscribe(filter);
  }

  /**
   * Hands a message to the socket. Nothing is kept for later.
   * @returns false if there is no connection or too much waits already: the message is dropped, the caller counts it
   */
  publish(topic: string, payload: Buffer | Uint8Array | string, options: PublishOptions = {}): boolean {
    return this.#send(topic, payload, options, options.qos ?? 0, (error) => {
      if (error && !this.#closed) this.#log.debug('not published', { topic, error });
    });
  }

  /**
   * Publishes with QoS 1 and waits for the broker's word. Never rejects; ends with the connection at the latest. What is
   * beyond the number that the broker takes at a time (MQTT 5) is `lost` at once.
   */
  publishAcknowledged(
    topic: string,
    payload: Buffer | Uint8Array | string,
    options: Omit<PublishOptions, 'qos'> = {},
  ): Promise<Delivery> {
    if (this.#open.size >= this.#mostOpen) return Promise.resolve('lost');
    return new Promise((resolve) => {
      const settle = (delivery: Delivery) => {
        this.#open.delete(settle);
        resolve(delivery);
      };
      this.#open.add(settle);
      const sent = this.#send(topic, payload, options, 1, (error) => {
        if (!error) settle('acknowledged');
        else if (typeof (error as { code?: unknown }).code !== 'number') settle('lost');
        else {
          this.#log.debug('refused by the broker', { topic, error });
          settle('refused');
        }
      });
      if (!sent) settle('lost');
    });
  }

  #send(
    topic: string,
    payload: Buffer | Uint8Array | string,
    options: PublishOptions,
    qos: 0 | 1,
    done: (error?: Error | null) => void,
  ): boolean {
    if (!this.#up || !this.#client || this.waitingBytes > this.#maxWaiting) return false;
    const bytes =
      typeof payload === 'string' ? payload : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    const { expirySeconds, responseTopic, correlationData, userProperties } = options;
    const properties =
      this.#version === 5 && (expirySeconds !== undefined || responseTopic !== undefined)
        ? { messageExpiryInterval: expirySeconds, responseTopic, correlationData, userProperties }
        : undefined;
    this.#client.publish(topic, bytes, { qos, retain: options.retain ?? false, properties }, done);
    return true;
  }

  #loseOpen(): void {
    for (const settle of [...this.#open]) settle('lost');
  }

  /** Sends what waits, says goodbye to the broker (no last will), and stops. At most `timeoutMs`. */
  async close(timeoutMs = 1000): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const client = this.#client;
    if (!client) return;
    this.#client = undefined;
    const wasUp = this.#up;
    this.#up = false;
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => client.end(true, {}, () => resolve()), timeoutMs);
      client.end(!wasUp, {}, () => {
        clearTimeout(force);
        resolve();
      });
    });
    this.#loseOpen();
  }

  #connect(settings: ReturnType<typeof clientSettings>): void {
    this.#client = attempt(this.url, settings, {
      onUp: (takes) => this.#cameUp(takes),
      onMessage: (topic, payload, properties) => this.#deliver(topic, payload, properties),
      onEnd: (reason) => this.#ended(reason),
    });
  }

  /** @param takes messages with QoS 1 that the broker takes at a time; one is left for a status */
  #cameUp(takes: number): void {
    if (this.#closed) return;
    this.#mostOpen = Math.max(1, takes - 1);
    const version = this.#version === 5 ? '5' : '3.1.1';
    if (this.#downSince === undefined) {
      this.#log.info(`connected to broker ${this.url}`, { mqtt: version });
    } else {
      const seconds = (Date.now() - this.#downSince) / 1000;
      this.#log.info(`broker ${this.url} is there again after ${seconds.toFixed(1)} s`, { mqtt: version });
    }
    this.#downSince = undefined;
    this.#refusedHere = 0;
    this.#delays = retryDelays();
    this.#up = true;
    this.#ask([...this.#subscriptions.keys()]);
    for (const listener of this.#upListeners) listener();
  }

  #ask(filters: string[]): void {
    if (filters.length === 0) return;
    const wanted = Object.fromEntries(filters.map((f) => [f, { qos: this.#subscriptions.get(f)?.qos ?? 0 }]));
    this.#client?.subscribe(wanted, (error, granted) => {
      const refused = (granted ?? []).filter((grant) => grant.qos >= 128).map((grant) => grant.topic);
      if (refused.length > 0 || (error && this.#up)) {
        const what = refused.length > 0 ? refused : filters;
        this.#log.error(`the broker refuses the subscription to ${what.join(', ')}`, {
          error: error ?? undefined,
          hint: "check this user's access list at the broker",
        });
      }
    });
  }

  #deliver(topic: string, payload: Buffer, properties: MessageProperties): void {
    for (const [filter, { handler }] of this.#subscriptions) {
      if (matchesFilter(filter, topic)) handler(topic, payload, properties);
    }
  }

  #ended(reason: Reason): void {
    const wasUp = this.#up;
    this.#up = false;
    this.#client = undefined;
    this.#loseOpen();
    if (this.#closed) return;
    if (wasUp) for (const listener of this.#downListeners) listener();
    if (
      reason.versionRefused &&
      this.#options.broker.version === 'auto' &&
      this.#version === 5 &&
      this.#refusedHere++ === 0
    ) {
      this.#version = 4;
      this.#log.debug('the broker speaks MQTT 3.1.1 only');
      this.#retry(0);
      return;
    }
    const delay = this.#delays.next().value;
    this.#say(reason, wasUp, delay);
    this.#retry(delay);
  }

  #say(reason: Reason, wasUp: boolean, delay: number): void {
    const now = Date.now();
    const first = this.#downSince === undefined;
    this.#downSince ??= now;
    const fields = { reason: reason.text, hint: reason.hint, retry_s: delay / 1000 };
    if (first) {
      this.#saidAt = now;
      this.#log.warn(
        `broker ${this.url} ${wasUp ? 'went away' : 'cannot be reached'}; trying again until it answers`,
        fields,
      );
    } else if (now - this.#saidAt >= reminderMs) {
      this.#saidAt = now;
      this.#log.warn(`broker ${this.url} away for ${Math.round((now - this.#downSince) / 1000)} s`, fields);
    } else {
      this.#log.debug(`broker ${this.url}: another attempt failed`, fields);
    }
  }

  #retry(delay: number): void {
    this.#timer = setTimeout(() => {
      try {
        this.#connect(clientSettings(this.#options, this.#version));
      } catch (error) {
        this.#ended({ text: (error as Error).message });
      }
    }, delay);
  }
}
