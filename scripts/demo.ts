#!/usr/bin/env node
/** The whole product on one machine; scripts/demo installs, builds and runs this. */
import { ExitCode } from '../platform/errors.js';
import { runMain } from '../platform/main.js';
import { demoOptions, usage } from './live/options.js';
import { runDemo } from './live/run.js';

runMain(usage, async () => {
  const options = demoOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(`${usage}\n`);
    return ExitCode.ok;
  }
  return runDemo(options, process.stdout);
});
