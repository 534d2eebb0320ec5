import { setTimeout as pause } from 'node:timers/promises';
import { DeepcodError, ExitCode } from '../../../platform/errors.js';
import type { Broker, BrokerConfig } from '../../../platform/mqtt.js';
import { didYouMean } from '../../../platform/suggest.js';
import { type DecisionsMessage, parseDecisions } from '../../../protocol/decision.js';
import { ProtocolError } from '../../../protocol/errors.js';
import { parseStatus } from '../../../protocol/status.js';
import { Topics } from '../../../protocol/topics.js';
import { toBroker } from '../broker.js';

/** Retained statuses come with the subscription. */
const STATUS_PATIENCE_MS = 2000;
const ANSWER_PATIENCE_MS = 10_000;
/** A device that is busy, or has answered just now, keeps silent: it is asked again so soon. */
const AGAIN_MS = 1000;
const STEP_MS = 20;

/** A connection to the broker that asks one device for its decisions. */
export class DeviceQuestion {
  readonly #topics: Topics;
  readonly #broker: Broker;
  readonly #reached: () => Promise<void>;
  /** What devices say of themselves: whether they are online. */
  readonly #devices = new Map<string, boolean>();
  #answer: DecisionsMessage | Error | undefined;

  /** Begins to connect. @throws DeepcodError for settings that cannot work */
  constructor(
    broker: BrokerConfig,
    readonly base: string,
    readonly device: string,
  ) {
    this.#topics = new Topics(base);
    const { broker: connection, reached } = toBroker('explain', broker);
    this.#broker = connection;
    this.#reached = reached;
    this.#broker.subscribe(this.#topics.filters.allStatus(), (topic, payload) => {
      const about = this.#topics.parse(topic);
      if (about?.kind !== 'status') return;
      try {
        this.#devices.set(about.device, parseStatus(payload).online);
      } catch {
        // Of a later version, or of something else: it is there at least.
        this.#devices.set(about.device, true);
      }
    });
    this.#broker.subscribe(this.#topics.decisions(device), (_, payload) => {
      try {
        this.#answer = parseDecisions(payload);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        this.#answer = error;
      }
    });
  }

  /**
   * Waits until the broker and the device are known to be there.
   * @throws DeepcodError `broker_unreachable` (exit code 5), `device_unknown` (2), `device_offline` (5)
   */
  async open(): Promise<void> {
    await this.#reached();
    await this.#until(() => this.#devices.has(this.device), STATUS_PATIENCE_MS);
    if (!this.#devices.has(this.device)) {
      const known = [...this.#devices.keys()];
      throw new DeepcodError(
        'device_unknown',
        `${this.device}: no such device at ${this.#broker.url} below "${this.base}"`,
        known.length > 0 ? didYouMean(this.device, known) : 'No device has announced itself there: is the base right?',
        ExitCode.usage,
      );
    }
    this.#checkOnline();
  }

  /**
   * Asks for the last decisions, again and again until there is an answer.
   * @throws DeepcodError `device_offline`, `no_answer`, `answer_invalid` (exit code 5)
   */
  async ask(last: number): Promise<DecisionsMessage> {
    this.#checkOnline();
    this.#answer = undefined;
    for (const end = performance.now() + ANSWER_PATIENCE_MS; !this.#answer && performance.now() < end; ) {
      this.#broker.publish(this.#topics.command(this.device, 'explain'), JSON.stringify({ last }));
      await this.#until(() => this.#answer !== undefined, AGAIN_MS);
    }
    const answer = this.#answer as DecisionsMessage | Error | undefined;
    if (answer === undefined) {
      this.#checkOnline();
      throw new DeepcodError(
        'no_answer',
        `${this.device} does not answer`,
        'Its link may be too busy for an answer (try again, or --last 1), its agent older than this command, or either may not use these topics at the broker.',
        ExitCode.broker,
      );
    }
    if (answer instanceof Error) {
      const hint = 'Is its agent of another version than this command?';
      throw new DeepcodError('answer_invalid', `${this.device}: ${answer.message}`, hint, ExitCode.broker);
    }
    return answer;
  }

  close(): Promise<void> {
    return this.#broker.close();
  }

  #checkOnline(): void {
    if (this.#devices.get(this.device)) return;
    const hint = 'Is its agent running, and can it reach the broker?';
    throw new DeepcodError('device_offline', `${this.device} is offline`, hint, ExitCode.broker);
  }

  async #until(condition: () => boolean, patienceMs: number): Promise<void> {
    const end = performance.now() + patienceMs;
    while (!condition() && performance.now() < end) await pause(STEP_MS);
  }
}
