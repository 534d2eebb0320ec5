import type { PartitionCommand } from '../../protocol/command.js';

/** What of the settings a command depends on. */
export interface CommandSettings {
  /** Where the settings themselves cut. */
  partition: string;
  /** Whether operators may say it. */
  commands: boolean;
}

/**
 * An operator's word on the partition point. It outlives engines and agents: it holds until an operator says something else, until
 * the settings say another `partition` than when it was given (the newer word wins), until they take no commands any more,
 * or until the process ends.
 */
export class StandingCommand {
  #command: PartitionCommand | undefined;
  /** What the settings said when it was given. */
  #partition = '';

  /** An operator has said it; `auto` leaves it to the settings again. @param settings that hold now */
  give(command: PartitionCommand, { partition }: CommandSettings): void {
    this.#command = command.partition === 'auto' ? undefined : command;
    this.#partition = partition;
  }

  /** What there is to obey where these settings hold; undefined: the settings alone. */
  under({ partition, commands }: CommandSettings): PartitionCommand | undefined {
    return commands && partition === this.#partition ? this.#command : undefined;
  }

  /** These settings hold from now on. @returns whether that was the end of a command */
  settle(settings: CommandSettings): boolean {
    const isOver = this.#command !== undefined && this.under(settings) === undefined;
    if (isOver) this.#command = undefined;
    return isOver;
  }
}
