import { openBundle } from '../platform/bundle.js';
import { changedKeys } from '../platform/config/changes.js';
import type { Log } from '../platform/log.js';
import type { Notifier } from '../platform/systemd/notify.js';
import { type Agent, type AgentParts, openAgent } from './agent.js';
import type { AgentConfig } from './config/config.js';
import { Observers } from './integrations/observers.js';
import { choicesFor } from './partition/choices.js';

export interface ServiceParts extends Omit<AgentParts, 'manager'> {
  log: Log;
  manager: Notifier;
  /** Reads the configuration again. @throws DeepcodError where it cannot be used */
  reread: () => AgentConfig;
}

/** Keys that hold from the next frame on; any other one takes a new agent. */
const LIVE = new Set(
  'accuracy_floor commands fallback health in_flight key_interval_s partition pictures power prices privacy profile rate threads'.split(
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
  /** One after the other. */
  #reloads: Promise<void> = Promise.resolve();

  constructor(
    config: AgentConfig,
    readonly parts: ServiceParts,
  ) {
    this.#config = config;
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
          manager: {
            ...parts.manager,
            ready: () => {
              worked = true;
              parts.manager.ready();
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
    this.parts.manager.stopping();
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
    const { log, manager, reread } = this.parts;
    manager.reloading();
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
        manager.ready();
        return;
      }
      log.info('configuration read again: the agent starts anew with it', { changed: changed.join(',') });
      this.#next = config;
      this.#agent?.stop();
    } catch (error) {
      log.error('the configuration cannot be used: nothing changes', { error });
      manager.ready();
    }
  }
}
