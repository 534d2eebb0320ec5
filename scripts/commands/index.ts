/** A command's module. */
export interface CommandModule {
  /** All options and exit codes. */
  usage: string;
  /** @param args after the command's name @returns the exit code */
  run(args: string[]): Promise<number>;
}

interface Command {
  /** One line for the list. */
  summary: string;
  load(): Promise<CommandModule>;
}

/** The commands of `deepcod`: a new one is a file beside this one, and a line here. */
export const commands: Record<string, Command> = {
  profile: { summary: 'measure every head and the whole service on this device', load: () => import('./profile.js') },
  explain: { summary: 'why a device cuts the network where it does', load: () => import('./explain.js') },
  account: { summary: "who may open the edge's page", load: () => import('./account.js') },
  audit: { summary: "who logged in to the edge's page, and what they did", load: () => import('./audit.js') },
  broker: { summary: "a broker's configuration, certificates and access list", load: () => import('./broker.js') },
};
