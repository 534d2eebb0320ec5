#!/usr/bin/env node
/** The whole product on one machine; scripts/demo installs, builds and runs this. */
import { runMain } from '../platform/main.js';
import { demoOptions, usage } from './live/options.js';
import { runDemo } from './live/run.js';

runMain(usage, async (args) => runDemo(demoOptions(args), process.stdout));
