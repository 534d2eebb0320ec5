import { Relay } from '../../../bench/link/relay.js';
import { usageError } from '../../../platform/main.js';
import type { LinkPhase } from './phases.js';

const HOST = '127.0.0.1';
const PORTS: Readonly<Record<string, number>> = { 'mqtt:': 1883, 'ws:': 80 };

/** A simulated link to a broker that goes through its phases once, and stays in the last. */
export class SimulatedLink {
  readonly #relay: Relay;
  readonly #phases: readonly LinkPhase[];
  readonly #changed: (phase: number) => void;
  /** When each phase began, performance.now(). */
  readonly #began: number[] = [];
  #timer?: NodeJS.Timeout;

  private constructor(
    /** The broker's address through the link. */
    readonly url: string,
    relay: Relay,
    phases: readonly LinkPhase[],
    changed: (phase: number) => void,
  ) {
    this.#relay = relay;
    this.#phases = phases;
    this.#changed = changed;
  }

  /**
   * The first phase is there at once; time runs from `start()`.
   * @param broker address that the link leads to
   * @param changed told of each phase as it begins, by index
   * @throws usageError for an address that cannot be relayed
   */
  static async open(
    broker: string,
    phases: readonly LinkPhase[],
    changed: (phase: number) => void,
  ): Promise<SimulatedLink> {
    const { protocol, hostname, port, username, pathname, search } = new URL(broker);
    if (!Object.hasOwn(PORTS, protocol)) {
      throw usageError(`--link leads to mqtt:// or ws:// brokers; a certificate for ${hostname} is none for the relay`);
    }
    const to = { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? PORTS[protocol] : Number(port) };
    const relay = await Relay.open(to, phases[0]);
    const url = `${protocol}//${username && `${username}@`}${HOST}:${relay.port}${pathname}${search}`;
    return new SimulatedLink(url, relay, phases, changed);
  }

  /** Begins the first phase; later calls do nothing. */
  start(): void {
    if (this.#began.length === 0) this.#begin(0);
  }

  /** Index of the phase that there was at a time of performance.now(). */
  phaseAt(time: number): number {
    return Math.max(
      0,
      this.#began.findLastIndex((began) => began <= time),
    );
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#relay.close();
  }

  #begin(phase: number): void {
    const state = this.#phases[phase];
    this.#began.push(performance.now());
    this.#relay.set(state);
    this.#changed(phase);
    if (phase + 1 < this.#phases.length) this.#timer = setTimeout(() => this.#begin(phase + 1), state.durationMs);
  }
}
