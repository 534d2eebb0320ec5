import type { AgentConfig } from '../config/config.js';
import type { KeptState } from './kept-state.js';
import { withSettings } from './settings.js';

/** agent.yaml, and above it what the release that runs changed. */
export class Base {
  /** @param config as agent.yaml says, and the agent goes by */
  constructor(
    public config: AgentConfig,
    readonly state: KeptState,
  ) {}

  /**
   * What the agent goes by.
   * @param config as agent.yaml says; default: what it said last
   * @throws Refused: the two do not go together
   */
  settings(config = this.config): AgentConfig {
    const { running } = this.state.now.config;
    return running?.config ? withSettings(config, running.config) : config;
  }
}
