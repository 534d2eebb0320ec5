#!/usr/bin/env node
/** `node dist/edge/main.js --config edge.yaml`: reads the configuration, starts the parts, stops them on a signal. */
import { resolve } from 'node:path';
import { configured } from '../platform/configured.js';
import { ExitCode } from '../platform/errors.js';
import { runMain, STOP_WITHIN_MS, untilStopped } from '../platform/main.js';
import { parseOptions, text, texts } from '../platform/options.js';
import { openNotifier } from '../platform/systemd/notify.js';
import { Readiness } from '../platform/systemd/readiness.js';
import { loadEdgeConfig } from './config.js';
import { startEdge } from './edge.js';
import { watchEdge } from './health/watchdog.js';
import { openTraces } from './integrations/traces/open.js';
import { reloadLog } from './reload.js';
import { startWeb } from './web.js';

const usage = `usage: node dist/edge/main.js [--config edge.yaml] [--bundle DIR]... [--log LEVEL]

  --config FILE   configuration (YAML); config/edge.example.yaml shows every key
  --bundle DIR    serve this bundle instead of the configured ones; may be repeated
  --log LEVEL     debug, info, warn, error, silent
  --help          this text

Variables DEEPCOD_SECTION_KEY override the file, for example DEEPCOD_BROKER_PORT=1884.
SIGHUP reads the configuration again: the log's level changes, everything else needs a restart.
Exit codes: 0 stopped, 1 unexpected, 2 usage or configuration, 3 bundle.`;

runMain(usage, async (args) => {
  const { config: file, bundle, log: level } = parseOptions(args, { config: text, bundle: texts, log: text });
  const overrides = { bundles: bundle?.map((path) => resolve(path)), log: { level } };
  const load = (sources: Parameters<typeof loadEdgeConfig>[0]) => loadEdgeConfig({ ...sources, file, overrides });
  const { config, log } = configured('edge', load);
  const manager = openNotifier(log.child('systemd'));
  const readiness = new Readiness(manager);
  const reload = () => reloadLog(config, () => load({ env: process.env }), readiness, log);
  const stopped = untilStopped({ reload, withinMs: STOP_WITHIN_MS });
  const edge = await startEdge(config, log);
  try {
    const endTraces = await openTraces(config, edge, log);
    const web = await startWeb(config, edge, log);
    log.info('ready', { broker: edge.brokerUrl, page: web?.url });
    const watchdog = watchEdge(edge, manager);
    readiness.working();
    log.info(`stopping (${await stopped})`);
    readiness.stopping();
    watchdog.close();
    await web?.close();
    await endTraces();
  } finally {
    await edge.close();
  }
  return ExitCode.ok;
});
