import { dirname, resolve } from 'node:path';
import { type ConfigSources, loadConfig } from '../platform/config.js';
import { DeepcodError, ExitCode } from '../platform/errors.js';
import { type EdgeConfig, edgeConfigSchema } from './config.schema.js';

export { type EdgeConfig, edgeConfigSchema } from './config.schema.js';

/**
 * Reads the edge's configuration.
 * @throws DeepcodError `config_invalid` (exit code 2)
 */
export function loadEdgeConfig(sources: ConfigSources): EdgeConfig {
  const config = loadConfig<EdgeConfig>(edgeConfigSchema, sources);
  const { broker } = config;
  if (broker.embedded === true && broker.url !== undefined) {
    const where = sources.file ?? 'configuration';
    throw new DeepcodError(
      'config_invalid',
      `${where}: broker.url: ${JSON.stringify(broker.url)}; not allowed with broker.embedded true`,
      'Leave broker.url out, or set broker.embedded to false.',
      ExitCode.usage,
    );
  }
  if (broker.embedded === false && broker.url === undefined) {
    const where = sources.file ?? 'configuration';
    const text = `${where}: broker.url: missing; needed with broker.embedded false`;
    throw new DeepcodError(
      'config_invalid',
      text,
      'Set it, for example to mqtt://broker.example:1883.',
      ExitCode.usage,
    );
  }
  if (config.home_assistant.enabled && !config.web.enabled) {
    throw new DeepcodError(
      'config_invalid',
      `${sources.file ?? 'configuration'}: home_assistant.enabled: true; not allowed with web.enabled false`,
      'Home Assistant is told what the page knows: set web.enabled to true.',
      ExitCode.usage,
    );
  }
  const folder = sources.file === undefined ? process.cwd() : dirname(sources.file);
  return { ...config, bundles: config.bundles.map((path) => resolve(folder, path)) };
}
