#!/usr/bin/env node
/** `node dist/edge/main.js --config edge.yaml`: reads the configuration, starts the parts, stops them on a signal. */
import { resolve } from 'node:path';
import { configured } from '../platform/configured.js';
import { ExitCode } from '../platform/errors.js';
import { runMain, untilStopped } from '../platform/main.js';
import { parseOptions, text, texts } from '../platform/options.js';
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

runMain(usage, async (args) => {
  const { config: file, bundle, log: level } = parseOptions(args, { config: text, bundle: texts, log: text });
  const overrides = { bundles: bundle?.map((path) => resolve(path)), log: { level } };
  const { config, log } = configured('edge', (sources) => loadEdgeConfig({ ...sources, file, overrides }));

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
