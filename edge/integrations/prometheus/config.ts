import { readSecret } from '../../../platform/config/secret.js';
import type { ConfigSchema } from '../../../platform/config.js';
import { DeepcodError, ExitCode } from '../../../platform/errors.js';

/** Section `metrics` of edge.yaml. */
export interface EdgeMetricsConfig {
  enabled: boolean;
  token_file?: string;
}

export const edgeMetricsSchema: ConfigSchema = {
  type: 'object',
  description: 'figures for Prometheus at the page’s /metrics (docs/integrations.md)',
  additionalProperties: false,
  default: {},
  properties: {
    enabled: { type: 'boolean', default: false, description: 'true or false' },
    token_file: {
      type: 'string',
      format: 'path',
      description:
        'file with the bearer token that whoever reads them shows; default: whoever may see the page may read them',
    },
  },
};

/** @throws DeepcodError `secret_unreadable`, `config_invalid` (exit code 2) */
export function metricsToken({ token_file: file }: EdgeMetricsConfig): string | undefined {
  if (file === undefined) return undefined;
  const token = readSecret(file, 'the token of the metrics').trim();
  if (token.length >= 16) return token;
  const hint = 'Write a random one: openssl rand -hex 32';
  throw new DeepcodError('config_invalid', `${file}: the token has less than 16 characters`, hint, ExitCode.usage);
}
