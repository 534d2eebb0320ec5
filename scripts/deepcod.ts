#!/usr/bin/env node
/** `deepcod COMMAND`: what is done beside a running agent; scripts/deepcod installs, builds and runs this. */
import { ExitCode } from '../platform/errors.js';
import { runMain, usageError } from '../platform/main.js';
import { didYouMean } from '../platform/suggest.js';
import { commands } from './commands/index.js';
import { toolkitCommands } from './commands/toolkit.js';

const names = Object.keys(commands);
const list = names.map((name) => `  ${name.padEnd(10)} ${commands[name].summary}`).join('\n');

const usage = `usage: ./scripts/deepcod COMMAND [options]

${list}

  --help     this text; after a command, the command's

Exit codes: 0 done, 1 unexpected, 2 usage or configuration, 3 bundle, 4 camera, 5 broker or device unreachable.`;

const [name, ...args] = process.argv.slice(2);
if (Object.hasOwn(commands, name ?? '')) {
  const command = await commands[name].load();
  runMain(command.usage, () => command.run(args));
} else {
  runMain(usage, async () => {
    if (name === undefined) {
      process.stdout.write(`${usage}\n`);
      return ExitCode.ok;
    }
    if (toolkitCommands.includes(name)) throw usageError(`${name}: that is the toolkit's: see docs/training.md`);
    throw usageError(`${name}: unknown command; ${didYouMean(name, names)}`);
  });
}
