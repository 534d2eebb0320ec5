#!/usr/bin/env node
/** `node dist/edge/main.js --config edge.yaml`: reads the configuration, starts the parts, stops them on a signal. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ExitCode } from '../platform/errors.js';
import { createLog } from '../platform/log.js';
import { runMain, untilStopped } from '../platform/main.js';
import { loadEdgeConfig } from './config.js';
import { startEdge } from './edge.js';
import { startWeb } from './web.js';

const usage = `usage: node dist/edge/main.js [--config edge.yaml] [--bundle DIR]... [--log LEVEL]

  --config FILE   configuration (YAML); config/edge.example.yaml shows every key
  --bundle DIR    serve this bundle instead of the configured ones; may be repeated
  --log LEVEL     debug, info, warn, error, silent
  --help          this text

Variables DEEPCOD_SECTION_KEY override the file, for example DEEPCOD_BROKER_PORT=1884.
Exit codes: 0 stopped, 1 unexpected, 2 usage or configuration, 3 bundle.`;

runMain(usage, async () => {
  const { values } = parseArgs({
    options: {
      config: { type: 'string' },
      bundle: { type: 'string', multiple: true },
      log: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    return ExitCode.ok;
  }
  const warnings: string[] = [];
  const config = loadEdgeConfig({
    file: values.config,
    env: process.env,
    overrides: { bundles: values.bundle?.map((path) => resolve(path)), log: { level: values.log } },
    warn: (text) => warnings.push(text),
  });
  const log = createLog('edge', config.log.level);
  for (const text of warnings) log.warn(text);

  const stopped = untilStopped();
  const edge = await startEdge(config, log);
  try {
    const web = await startWeb(config, edge, log);
    log.info('ready', { broker: edge.brokerUrl, page: web?.url });
    log.info(`stopping (${await stopped})`);
    await web?.close();
  } finally {
    await edge.close();
  }
  return ExitCode.ok;
});
