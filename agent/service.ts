import { openBundle } from '../platform/bundle.js';
import { changedKeys } from '../platform/config/changes.js';
import type { Log } from '../platform/log.js';
import type { Notifier } from '../platform/systemd/notify.js';
import { Readiness } from '../platform/systemd/readiness.js';
import { type Agent, type AgentParts, openAgent } from './agent.js';
import type { AgentConfig } from './config/config.js';
import { Observers } from './integrations/observers.js';
import { choicesFor } from './partition/choices.js';
import { StandingCommand } from './partition/standing-command.js';

export interface ServiceParts extends Omit<AgentParts, 'manager' | 'command'> {
  log: Log;
  manager: Notifier;
  /** Reads the configuration again. @throws DeepcodError where it cannot be used */
  reread: () => AgentConfig;
}

/** Keys that hold from the next frame on; any other one takes a new agent. */
const LIVE = new Set(
  'accuracy_floor commands fallback health in_flight key_interval_s partition pictures power prices privacy profile rate threads timeout_ms'.split(
    ' ',
  ),
);

const isLive = (key: string): boolean => LIVE.has(key.split('.', 1)[0]);

/**
 * The agent as a service: one agent after the other, each with the configuration that was read last. Whatever is wrong
 * with a new configuration, the old one goes on.
 */
export class AgentService {
  #agent: Agent | undefined;
  #config: AgentConfig;
  #next: AgentConfig | undefined;
  #stopped = false;
  readonly #command = new StandingCommand();
  readonly #readiness: Readiness;
  /** One after the other. */
  #reloads: Promise<void> = Promise.resolve();

  constructor(
    config: AgentConfig,
    readonly parts: ServiceParts,
  ) {
    this.#config = config;
    this.#readiness = new Readiness(parts.manager);
  }

  /**
   * Runs until stopped, or until the camera's input ends.
   * @throws DeepcodError of the first configuration; of a later one when it has worked
   */
  async run(): Promise<void> {
    let before: AgentConfig | undefined;
    while (!this.#stopped) {
      let worked = false;
      let observers: Observers | undefined;
      try {
        const { parts } = this;
        observers = await Observers.open(this.#config, parts.log);
        const agent = await openAgent(this.#config, {
          ...parts,
          ...observers.parts(parts.onTrip),
          command: this.#command,
          manager: {
            ...parts.manager,
            ready: () => {
              worked = true;
              this.#readiness.working();
            },
          },
        });
        observers.watch(agent);
        this.#agent = agent;
        // What came while it was opened.
        if (this.#stopped || this.#next) agent.stop();
        await agent.run();
      } catch (error) {
        if (!before || worked) throw error;
        this.parts.log.error('the new configuration does not work: going back to the old one', { error });
        this.#config = before;
        before = undefined;
        continue;
      } finally {
        this.#agent = undefined;
        this.#readiness.resting();
        await observers?.close();
      }
      if (!this.#next) return;
      before = this.#config;
      this.#config = this.#next;
      this.#next = undefined;
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#readiness.stopping();
    this.#agent?.stop();
  }

  /**
   * Reads the configuration again and goes on with it: what can be changed between two frames is, all else comes with a new
   * agent. Never rejects.
   */
  reload(): Promise<void> {
    this.#reloads = this.#reloads.then(() => this.#reload());
    return this.#reloads;
  }

  async #reload(): Promise<void> {
    const { log, reread } = this.parts;
    this.#readiness.reloading();
    try {
      const config = reread();
      const bundle = await openBundle(config.bundle);
      choicesFor(bundle.manifest, config);
      if (this.#stopped) return;
      const changed = changedKeys(this.#config, config);
      log.level = config.log.level;
      // An agent that is being opened, or that ends for another configuration, cannot take this one.
      const isOpen = this.#agent !== undefined && this.#next === undefined;
      if (isOpen && changed.every((key) => key === 'log.level' || isLive(key))) {
        if (changed.some(isLive)) await this.#agent?.applyConfig(config);
        this.#config = config;
        log.info('configuration read again', { changed: changed.join(',') || 'nothing' });
        this.#readiness.settled();
        return;
      }
      log.info('configuration read again: the agent starts anew with it', { changed: changed.join(',') });
      this.#next = config;
      this.#readiness.resting();
      this.#agent?.stop();
    } catch (error) {
      if (this.#stopped) return;
      log.error('the configuration cannot be used: nothing changes', { error });
      this.#readiness.settled();
    }
  }
}
