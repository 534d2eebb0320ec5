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
  camera: { summary: 'the cameras of this device, and a picture of one', load: () => import('./camera.js') },
  profile: { summary: 'measure every head and the whole service on this device', load: () => import('./profile.js') },
  provision: {
    summary: 'keys, certificates and cards for the devices of a site',
    load: () => import('./provision.js'),
  },
  key: { summary: 'make a key that signs releases, or show its id', load: () => import('./key.js') },
  publish: { summary: 'sign a bundle or settings, and put them down for an edge', load: () => import('./publish.js') },
  update: { summary: "how a device's update goes", load: () => import('./update.js') },
  explain: { summary: 'why a device cuts the network where it does', load: () => import('./explain.js') },
  account: { summary: "who may open the edge's page", load: () => import('./account.js') },
  audit: { summary: "who logged in to the edge's page, and what they did", load: () => import('./audit.js') },
  broker: {
    summary: "a broker's configuration, certificates and access list",
    load: () => import('./broker/command.js'),
  },
  doctor: {
    summary: 'why is it slow, blind or silent? every part checked, and what to do',
    load: () => import('./doctor.js'),
  },
  watch: { summary: 'live results in the terminal', load: () => import('./watch.js') },
  bench: { summary: 'what this device reaches, beside what its model should', load: () => import('./bench.js') },
  capture: {
    summary: 'keep pictures for training, with consent and within a size',
    load: () => import('./capture.js'),
  },
};
