import type { Bundle } from '../../platform/bundle.js';
import { DeepcodError } from '../../platform/errors.js';
import { Gate } from '../../platform/gate.js';
import { unlessAborted } from '../../platform/wait.js';
import type { PartitionCommand } from '../../protocol/command.js';
import type { AgentConfig } from '../config/config.js';
import type { StandingCommand } from '../partition/standing-command.js';
import { Engine, type EngineParts } from './engine.js';

export interface EnginesParts extends EngineParts {
  command: StandingCommand;
  /** Aborted when the agent ends. */
  stop: AbortSignal;
  /** Calls `use` between two pictures, and goes on with a camera as the settings say by then. */
  changeCamera: (use: () => void) => Promise<void>;
  /** Told when the next frame begins with another engine. */
  used: (next: Engine, before: Engine) => void;
}

/** The engine that takes the next frame, those that still bring frames home, and how one follows the other. */
export class Engines {
  #current: Engine;
  /** Engines whose last frames are on their way; they close by themselves. */
  readonly #retiring = new Map<Engine, Promise<void>>();
  /** Changes are made one after the other, and none before frames begin. */
  #changing: Promise<void> = Promise.resolve();
  readonly #started = new Gate();

  /** @throws DeepcodError for settings that this bundle or this machine cannot serve */
  constructor(
    config: AgentConfig,
    bundle: Bundle,
    readonly parts: EnginesParts,
  ) {
    this.#current = new Engine(config, bundle, parts);
  }

  /** Takes the next frame. */
  get current(): Engine {
    return this.#current;
  }

  /** The one that takes the next frame first. */
  get all(): Engine[] {
    return [this.#current, ...this.#retiring.keys()];
  }

  /** Frames begin: from now on there may be changes. */
  start(): void {
    this.#obey(this.#current);
    this.#started.open();
  }

  /** There are no changes any more, unless it has started. */
  end(): void {
    this.#started.shut(new DeepcodError('stopped', 'the agent has ended'));
  }

  /** Cuts where an operator says. @throws DeepcodError what cannot be followed; then nothing changes */
  command(command: PartitionCommand): void {
    this.#current.planner.command(command);
    this.parts.command.give(command, this.#current.config);
  }

  /**
   * Goes on with another bundle or other settings between two frames. Models are loaded before; frames on their way are
   * answered by what they began with. Where the camera must give other pictures, it is opened again; a picture that waits
   * to become a frame is dropped then.
   * @param settings asked when this change's turn comes; undefined: as they are by then; `bundle` likewise
   * @throws DeepcodError for what cannot be used: then nothing has changed
   */
  change(settings: (() => AgentConfig) | undefined, bundle: Bundle | undefined): Promise<void> {
    const change = this.#changing
      .then(() => this.#started.opened)
      .then(() => this.#change(settings?.() ?? this.#current.config, bundle ?? this.#current.bundle));
    this.#changing = change.catch(() => undefined);
    return change;
  }

  /** Ends all threads when the frames on their way are home. */
  async close(): Promise<void> {
    await Promise.all([this.#current.close(), ...this.#retiring.values()]);
  }

  async #change(config: AgentConfig, bundle: Bundle): Promise<void> {
    const { stop, changeCamera } = this.parts;
    const next = new Engine(config, bundle, this.parts, this.#current);
    try {
      await unlessAborted(this.#warmUp(next), stop);
      stop.throwIfAborted();
      if (next.sharesCamera(this.#current)) this.#use(next);
      else await changeCamera(() => this.#use(next));
    } catch (error) {
      await next.close();
      throw error;
    }
  }

  async #warmUp(next: Engine): Promise<void> {
    // All points are measured, also those that a command leaves out: it may end at any time.
    await next.measure();
    next.obey(this.parts.command.under(next.config));
    await next.warmUp();
  }

  /** The next frame begins with this engine. */
  #use(next: Engine): void {
    const before = this.#current;
    this.#current = next;
    this.#obey(next);
    const closing = before.close().finally(() => this.#retiring.delete(before));
    this.#retiring.set(before, closing);
    this.parts.used(next, before);
  }

  /** The next frame goes by this engine's settings, and by what an operator said and they let stand. */
  #obey(engine: Engine): void {
    const { command, log } = this.parts;
    const { config } = engine;
    if (command.settle(config)) {
      log.info('the settings choose the partition point, no longer a command', { partition: config.partition });
    }
    engine.obey(command.under(config));
  }
}
