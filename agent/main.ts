#!/usr/bin/env node
/** `node dist/agent/main.js --config agent.yaml`: reads the configuration, starts the agent, stops it on a signal. */
import { resolve } from 'node:path';
import { configured } from '../platform/configured.js';
import { ExitCode } from '../platform/errors.js';
import { runMain, STOP_WITHIN_MS, untilStopped } from '../platform/main.js';
import { parseOptions, text } from '../platform/options.js';
import { openNotifier } from '../platform/systemd/notify.js';
import { openCamera } from './camera/index.js';
import { loadAgentConfig } from './config/config.js';
import { AgentService } from './service.js';

const usage = `usage: node dist/agent/main.js [--config agent.yaml] [--bundle DIR] [--log LEVEL]

  --config FILE   configuration (YAML); config/agent.example.yaml shows every key
  --bundle DIR    run this bundle instead of the configured one
  --log LEVEL     debug, info, warn, error, silent
  --help          this text

Variables DEEPCOD_SECTION_KEY override the file, for example DEEPCOD_CAMERA_FPS=2.
SIGHUP reads the configuration again; SIGTERM and SIGINT stop within two seconds.
Exit codes: 0 stopped or end of the input, 1 unexpected, 2 usage or configuration, 3 bundle, 4 camera.`;

runMain(usage, async (args) => {
  const { config: file, bundle, log: level } = parseOptions(args, { config: text, bundle: text, log: text });
  const overrides = { bundle: bundle && resolve(bundle), log: { level } };
  const load = (sources: Parameters<typeof loadAgentConfig>[0]) => loadAgentConfig({ ...sources, file, overrides });
  const { config, log } = configured('agent', load);
  const manager = openNotifier(log.child('systemd'));
  const reread = () => load({ env: process.env });
  const service = new AgentService(config, { log, openCamera, manager, reread });
  void untilStopped({ reload: () => void service.reload(), withinMs: STOP_WITHIN_MS }).then((signal) => {
    log.info(`stopping (${signal})`);
    service.stop();
  });
  await service.run();
  return ExitCode.ok;
});
