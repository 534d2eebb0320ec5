import { randomBytes } from 'node:crypto';
import type { Log } from '../../platform/log.js';
import { type Broker, connectMqtt, type Delivery } from '../../platform/mqtt.js';
import { TRACEPARENT } from '../../platform/traces/span.js';
import { type PartitionCommand, parsePartitionCommand } from '../../protocol/command.js';
import { DECISIONS_MAX, type Decision } from '../../protocol/decision.js';
import type { ProtocolError } from '../../protocol/errors.js';
import type { HealthMessage } from '../../protocol/health.js';
import { type DeviceStatus, type EdgeStatus, OFFLINE, parseStatus } from '../../protocol/status.js';
import { TIMEOUT_PROPERTY } from '../../protocol/timeout.js';
import { Topics } from '../../protocol/topics.js';
import { PING_BYTES, PING_TIMEOUT_MS } from '../bandwidth/pings.js';
import type { AgentConfig } from '../config/config.js';
import { encodeDecisions } from './decisions.js';

/** Who is told of what arrives. */
export interface LinkListeners {
  result: (payload: Uint8Array) => void;
  edge: (worker: string, status: EdgeStatus) => void;
  /** Somebody asks for the last so many decisions. */
  explain: (count: number) => void;
  /** Somebody says where the network is to be cut; only where the settings let commands in. */
  partition: (command: PartitionCommand) => void;
  /** The ping of this number came back. */
  pong: (number: number) => void;
  up: () => void;
  down: () => void;
}

/** Nothing that a link could shorten. */
const PING = randomBytes(PING_BYTES);
const PING_EXPIRY_S = Math.ceil(PING_TIMEOUT_MS / 1000);

/** Answers to commands are at least so far apart, ms: nobody makes a device talk without end. */
const COMMANDS_APART_MS = 2000;

/** Everything the agent says and hears at the broker. */
export class AgentLink {
  readonly broker: Broker;
  readonly #topics: Topics;
  readonly #device: string;

  /**
   * @param settings those that hold now; asked whenever they matter, for broker, base and device once
   * @param status what is announced, retained, whenever a connection is there
   */
  constructor(
    readonly settings: () => AgentConfig,
    readonly status: () => DeviceStatus,
    listeners: LinkListeners,
    log: Log,
  ) {
    const config = settings();
    this.#topics = new Topics(config.base);
    this.#device = config.device;
    const statusTopic = this.#topics.status(config.device);
    this.broker = connectMqtt(
      {
        broker: config.broker,
        clientId: `deepcod-${config.device}`.slice(0, 64),
        will: { topic: statusTopic, payload: OFFLINE },
      },
      log,
    );
    this.broker.subscribe(this.#topics.result(config.device), (_, payload) => listeners.result(payload));
    this.broker.subscribe(this.#topics.ping(config.device), (_, payload) => {
      if (payload.length === PING_BYTES) listeners.pong(payload.readUInt32LE());
    });
    let explainedAt = Number.NEGATIVE_INFINITY;
    this.broker.subscribe(this.#topics.filters.commands(config.device), (topic, payload) => {
      const about = this.#topics.parse(topic);
      const now = performance.now();
      if (about?.kind !== 'command') return;
      if (about.command === 'partition' && settings().commands) this.#partition(payload, listeners, log);
      if (about.command !== 'explain') return;
      // who asks comes again; a frame that waits must not wait for an answer too
      if (this.busy || now - explainedAt < COMMANDS_APART_MS) return;
      explainedAt = now;
      listeners.explain(lastOf(payload));
    });
    this.broker.subscribe(this.#topics.filters.allEdgeStatus(), (topic, payload) => {
      const about = this.#topics.parse(topic);
      if (about?.kind !== 'edge-status') return;
      try {
        listeners.edge(about.worker, parseStatus(payload));
      } catch (error) {
        log.warn('an edge announced itself in a form that is not understood', { worker: about.worker, error });
      }
    });
    this.broker.onUp(() => this.announce());
    this.broker.onUp(listeners.up);
    this.broker.onDown(listeners.down);
  }

  #partition(payload: Uint8Array, listeners: LinkListeners, log: Log): void {
    try {
      listeners.partition(parsePartitionCommand(payload));
    } catch (error) {
      const { code, message } = error as ProtocolError;
      log.warn('a command was not followed', { command: 'partition', code, message });
    }
  }

  /** Publishes the status again: it has changed. */
  announce(): boolean {
    return this.broker.publish(this.#topics.status(this.#device), JSON.stringify(this.status()), {
      qos: 1,
      retain: true,
    });
  }

  get #expirySeconds(): number {
    return Math.ceil(this.settings().timeout_ms / 1000);
  }

  get connected(): boolean {
    return this.broker.connected;
  }

  /** Whether something still waits in the socket. */
  get busy(): boolean {
    return this.broker.waitingBytes > 0;
  }

  /** How many more results `deliverResult` takes now. */
  get room(): number {
    return this.broker.room;
  }

  /** @param worker the edge that is to get it; undefined: the broker chooses @returns false when the socket does not take it */
  publishFrame(message: Uint8Array, worker?: string, traceparent?: string): boolean {
    const topic = worker ? this.#topics.frameTo(this.#device, worker) : this.#topics.frame(this.#device);
    return this.broker.publish(topic, message, {
      expirySeconds: this.#expirySeconds,
      responseTopic: this.#topics.result(this.#device),
      userProperties: {
        [TIMEOUT_PROPERTY]: `${this.settings().timeout_ms}`,
        ...(traceparent !== undefined && { [TRACEPARENT]: traceparent }),
      },
    });
  }

  /** A result that was made here. @param json see protocol/result.ts */
  publishResult(json: string): boolean {
    return this.broker.publish(this.#topics.result(this.#device), json, { expirySeconds: this.#expirySeconds });
  }

  /** @param number 0..2^32-1, comes back @returns false when the socket does not take it */
  publishPing(number: number): boolean {
    const ping = Buffer.from(PING);
    ping.writeUInt32LE(number);
    return this.broker.publish(this.#topics.ping(this.#device), ping, { expirySeconds: PING_EXPIRY_S });
  }

  /** The answer to `explain`. */
  publishDecisions(session: number, decisions: Decision[]): boolean {
    return this.broker.publish(this.#topics.decisions(this.#device), encodeDecisions(this.#device, session, decisions));
  }

  /**
   * A result that was made here, with the broker's acknowledgement. Never rejects.
   * @param json see protocol/result.ts
   * @param late it was kept: the broker must not drop it for its age
   */
  deliverResult(json: string | Uint8Array, late: boolean): Promise<Delivery> {
    const options = late ? {} : { expirySeconds: this.#expirySeconds };
    return this.broker.publishAcknowledged(this.#topics.result(this.#device), json, options);
  }

  publishHealth(health: HealthMessage): boolean {
    return this.broker.publish(this.#topics.health(this.#device), JSON.stringify(health), { retain: true });
  }

  /** Says goodbye and closes, within so many ms. */
  async close(timeoutMs: number): Promise<void> {
    this.broker.publish(this.#topics.status(this.#device), OFFLINE, { qos: 1, retain: true });
    await this.broker.close(timeoutMs);
  }
}

/** `{"last": N}`: how many decisions are wanted. Whatever else comes asks for one. */
function lastOf(payload: Uint8Array): number {
  try {
    const { last } = JSON.parse(Buffer.from(payload.subarray(0, 1024)).toString()) as { last?: unknown };
    return Number.isInteger(last) ? Math.max(1, Math.min(DECISIONS_MAX, last as number)) : 1;
  } catch {
    return 1;
  }
}
