import type { ConfigSchema } from '../../platform/config.js';

/** Section `metrics` of agent.yaml. */
export interface AgentMetricsConfig {
  /** Absent: there are none. */
  port?: number;
  host: string;
}

export const agentMetricsSchema: ConfigSchema = {
  type: 'object',
  description:
    'figures for Prometheus at http://host:port/metrics (docs/integrations.md); anybody who gets there may read them',
  additionalProperties: false,
  default: {},
  properties: {
    port: { type: 'integer', minimum: 0, maximum: 65535, description: '0..65535, 0 takes a free port; default: none' },
    host: {
      type: 'string',
      minLength: 1,
      default: '127.0.0.1',
      description: 'address they are served at; 0.0.0.0 opens them to the network',
    },
  },
};
