#!/usr/bin/env node
/** `node dist/agent/main.js --config agent.yaml`: reads the configuration, starts the agent, stops it on a signal. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ExitCode } from '../platform/errors.js';
import { createLog } from '../platform/log.js';
import { runMain, untilStopped } from '../platform/main.js';
import { openAgent } from './agent.js';
import { openCamera } from './camera/index.js';
import { loadAgentConfig } from './config/config.js';

const usage = `usage: node dist/agent/main.js [--config agent.yaml] [--bundle DIR] [--log LEVEL]

  --config FILE   configuration (YAML); config/agent.example.yaml shows every key
  --bundle DIR    run this bundle instead of the configured one
  --log LEVEL     debug, info, warn, error, silent
  --help          this text

Variables DEEPCOD_SECTION_KEY override the file, for example DEEPCOD_CAMERA_FPS=2.
Exit codes: 0 stopped or end of the input, 1 unexpected, 2 usage or configuration, 3 bundle, 4 camera.`;

runMain(usage, async () => {
  const { values } = parseArgs({
    options: {
      config: { type: 'string' },
      bundle: { type: 'string' },
      log: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    return ExitCode.ok;
  }
  const warnings: string[] = [];
  const config = loadAgentConfig({
    file: values.config,
    env: process.env,
    overrides: { bundle: values.bundle && resolve(values.bundle), log: { level: values.log } },
    warn: (text) => warnings.push(text),
  });
  const log = createLog('agent', config.log.level);
  for (const text of warnings) log.warn(text);
  const agent = await openAgent(config, { log, openCamera });
  void untilStopped().then((signal) => {
    log.info(`stopping (${signal})`);
    agent.stop();
  });
  await agent.run();
  return ExitCode.ok;
});
