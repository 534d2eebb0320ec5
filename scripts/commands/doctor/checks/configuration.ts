import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadAgentConfig } from '../../../../agent/config/config.js';
import { readInUse } from '../../../../agent/update/start.js';
import { changedKeys } from '../../../../platform/config/changes.js';
import { DeepcodError } from '../../../../platform/errors.js';
import { createLog } from '../../../../platform/log.js';
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
    gives: ['config', 'bundleFolder', 'broker'],
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
      config_release: {
        status: 'pass',
        means:
          'A signed release has changed settings: the agent uses those over its file, and everything below is checked with them.',
      },
      config_release_unusable: {
        status: 'warning',
        means:
          'The settings of a signed release do not go with the file any more: the agent goes back to those before.',
        todo: 'Has the file been changed since? Correct it, or publish settings that go with it: `deepcod update`.',
      },
      config_release_unknown: {
        status: 'warning',
        means:
          'Which releases the agent has taken cannot be read: what is checked below is the file’s word, and the agent may use other settings and another bundle.',
        todo: 'Run this as root: `sudo deepcod doctor`. If it stays so, the card is failing, and the agent too goes by its file: `journalctl -u deepcod-agent -n 50`.',
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
        const unusable: string[] = [];
        const log = createLog('doctor', 'error', {
          write: (_, { fields }) => void unusable.push((fields.error as Error).message),
        });
        const inUse = await readInUse(config, log);
        known.config = inUse.config;
        known.bundleFolder = inUse.bundle;
        known.broker = brokerOf(config.broker.url);
        if (path === undefined) tell('config_default', `no --config, and no ${INSTALLED_CONFIG}`);
        else tell('config_ok', `${path}: device ${config.device}, broker ${config.broker.url}`, { file: path });
        if (inUse.unknown) tell('config_release_unknown', `${config.update.folder}: ${inUse.unknown}`);
        for (const why of unusable) tell('config_release_unusable', why);
        if (inUse.settings) {
          const { sequence } = inUse.settings;
          const keys = changedKeys(config, inUse.config).join(', ');
          tell('config_release', `release ${sequence}: ${keys || 'the same as the file'}`, { sequence, keys });
        }
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
