import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { DeepcodError, ExitCode } from '../../../platform/errors.js';
import { createLog, type LogEvent } from '../../../platform/log.js';
import { type Broker, type BrokerConfig, connectMqtt } from '../../../platform/mqtt.js';
import { ProtocolError } from '../../../protocol/errors.js';
import { Topics } from '../../../protocol/topics.js';
import { parseUpdateStatus, type UpdateStatus } from '../../../protocol/update.js';

const BROKER_PATIENCE_MS = 5000;
/** Retained messages come with the subscription. */
const STATUS_PATIENCE_MS = 2000;
const LOOK_MS = 20;

/** A connection to the broker that hears what one device says of its updates. */
export class UpdateWatch {
  readonly #broker: Broker;
  readonly #come: UpdateStatus[] = [];
  #trouble: LogEvent | undefined;

  /** Begins to connect. @throws DeepcodError for settings that cannot work */
  constructor(
    broker: BrokerConfig,
    readonly base: string,
    readonly device: string,
  ) {
    const topics = new Topics(base);
    const log = createLog('update', 'warn', {
      write: (_, event) => {
        this.#trouble ??= event;
      },
    });
    this.#broker = connectMqtt({ broker, clientId: `deepcod-update-${randomBytes(4).toString('hex')}` }, log);
    this.#broker.subscribe(
      topics.updateStatus(device),
      (_, payload) => {
        try {
          this.#come.push(parseUpdateStatus(payload));
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
        }
      },
      1,
    );
  }

  /**
   * The first status. @throws DeepcodError `broker_unreachable` (exit code 5), `device_unknown` (2)
   */
  async open(): Promise<UpdateStatus> {
    if (!(await this.#broker.ready(BROKER_PATIENCE_MS))) {
      const { reason, hint } = this.#trouble?.fields ?? {};
      throw new DeepcodError(
        'broker_unreachable',
        `broker ${this.#broker.url} cannot be reached: ${reason ?? 'no answer'}`,
        String(hint ?? 'Name the broker with --broker, or an agent configuration with --config.'),
        ExitCode.broker,
      );
    }
    for (const end = performance.now() + STATUS_PATIENCE_MS; performance.now() < end; await pause(LOOK_MS)) {
      const first = this.take();
      if (first) return first;
    }
    throw new DeepcodError(
      'device_unknown',
      `${this.device} has said nothing of updates at ${this.#broker.url} below "${this.base}"`,
      'Is its name right, and does its configuration have update.keys?',
      ExitCode.usage,
    );
  }

  /** The next status that has come. */
  take(): UpdateStatus | undefined {
    return this.#come.shift();
  }

  close(): Promise<void> {
    return this.#broker.close();
  }
}
