import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadAgentConfig } from '../../../../agent/config/config.js';
import { DeepcodError } from '../../../../platform/errors.js';
import { defaultBundle } from '../../../../platform/root.js';
import { defineCheck } from '../check.js';

/** Where the package keeps the agent's configuration. */
export const INSTALLED_CONFIG = '/etc/deepcod/agent.yaml';

/** @param file of --config; without it the installed one, else the defaults */
export const configurationCheck = (file: string | undefined) =>
  defineCheck({
    name: 'configuration',
    title: 'configuration',
    group: 'configuration',
    timeoutMs: 2000,
    gives: ['config', 'broker'],
    findings: {
      config_ok: { status: 'pass', means: 'The configuration can be read and every value is allowed.' },
      config_default: {
        status: 'warning',
        means: 'No configuration was named and none is installed: everything below is checked with the defaults.',
        todo: 'Name it: `deepcod doctor --config FILE`.',
      },
      config_missing: {
        status: 'failure',
        symptom: 'silent',
        means: 'There is no such configuration file. The agent does not start without it.',
        todo: 'Check the path; config/agent.example.yaml is a start: `sudo cp config/agent.example.yaml {file}`.',
      },
      config_unreadable: {
        status: 'failure',
        symptom: 'silent',
        means: 'The configuration file is there, but the user who runs this may not read it.',
        todo: 'Run this as root, `sudo deepcod doctor --config {file}`, and see that the agent’s user may read it: `ls -l {file}`.',
      },
      config_syntax: {
        status: 'failure',
        symptom: 'silent',
        means: 'The file is no valid YAML. The agent does not start with it.',
        todo: 'Correct the line named here (spaces, colons, quotes): `sudo nano {file}`.',
      },
      config_invalid: {
        status: 'failure',
        symptom: 'silent',
        means: 'A key is not known, or a value is not allowed. The agent does not start with it.',
        todo: 'Correct what is named here: `sudo nano {file}`. Every key is described in docs/schemas/agent.schema.json.',
      },
      config_variable: {
        status: 'warning',
        means: 'An environment variable begins with DEEPCOD_ and names no key: it has no effect.',
        todo: 'Correct or remove it: `env | grep DEEPCOD_`, and `systemctl cat deepcod-agent`.',
      },
    },
    async run({ env, known, tell }) {
      const installed = join(env.root, INSTALLED_CONFIG);
      const path = file ?? (existsSync(installed) ? installed : undefined);
      const shown = path ?? 'defaults';
      try {
        const config = loadAgentConfig({
          file: path,
          env: env.variables,
          overrides: path === undefined ? { bundle: defaultBundle() } : {},
          warn: (warning) => tell('config_variable', warning),
        });
        known.config = config;
        known.broker = brokerOf(config.broker.url);
        if (path === undefined) tell('config_default', `no --config, and no ${INSTALLED_CONFIG}`);
        else tell('config_ok', `${path}: device ${config.device}, broker ${config.broker.url}`, { file: path });
      } catch (error) {
        if (!(error instanceof DeepcodError)) throw error;
        const kinds = ['config_missing', 'config_unreadable', 'config_syntax'] as const;
        const kind = kinds.find((code) => code === error.code) ?? 'config_invalid';
        tell(kind, error.message, { file: shown });
      }
    },
  });

const PORTS: Record<string, number> = { 'mqtt:': 1883, 'mqtts:': 8883, 'ws:': 80, 'wss:': 443 };

/** @throws DeepcodError `config_invalid` for what is no address, or holds a password */
function brokerOf(address: string): { host: string; port: number; tls: boolean } {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url?.hostname) throw new DeepcodError('config_invalid', `broker.url: "${address}" is no address`);
  if (url.password) {
    throw new DeepcodError(
      'config_invalid',
      'broker.url holds a password: it belongs into the file broker.password_file',
    );
  }
  const { protocol, hostname, port } = url;
  const tls = protocol === 'mqtts:' || protocol === 'wss:';
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? PORTS[protocol] : Number(port), tls };
}
