#!/usr/bin/env node
/** `node dist/edge/main.js --config edge.yaml`: reads the configuration, starts the parts, stops them on a signal. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { DeepcodError, ExitCode } from '../platform/errors.js';
import { createLog } from '../platform/log.js';
import { loadEdgeConfig } from './config.js';
import { startEdge } from './edge.js';
import { untilStopped } from './stop.js';
import { startWeb } from './web.js';

const usage = `usage: node dist/edge/main.js [--config edge.yaml] [--bundle DIR]... [--log LEVEL]

  --config FILE   configuration (YAML); docs/schemas/edge.schema.json describes every key
  --bundle DIR    serve this bundle instead of the configured ones; may be repeated
  --log LEVEL     debug, info, warn, error, silent
  --help          this text

Variables DEEPCOD_SECTION_KEY override the file, for example DEEPCOD_BROKER_PORT=1884.`;

async function main(): Promise<number> {
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

  const edge = await startEdge(config, log);
  const web = await startWeb(config, edge, log).catch(async (error: unknown) => {
    await edge.close();
    throw error;
  });
  log.info('ready', { broker: edge.brokerUrl, page: web?.url });
  const signal = await untilStopped();
  log.info(`stopping (${signal})`);
  await web?.close();
  await edge.close();
  return ExitCode.ok;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    if (error instanceof DeepcodError) {
      process.stderr.write(`${error.message}\n${error.hint ? `${error.hint}\n` : ''}`);
      process.exitCode = error.exitCode;
    } else if (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) {
      process.stderr.write(`${error.message}\n\n${usage}\n`);
      process.exitCode = ExitCode.usage;
    } else {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      process.exitCode = ExitCode.unexpected;
    }
  },
);
