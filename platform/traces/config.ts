import type { ConfigSchema } from '../config/schema.js';

/** Section `traces` of both configurations. */
export interface TracesConfig {
  /** Where traces go, by OTLP over HTTP; absent: there are none. */
  url?: string;
  /** Share of frames, 0 to 1. */
  ratio: number;
}

export const tracesSchema: ConfigSchema = {
  type: 'object',
  description: 'OpenTelemetry traces of frames (docs/integrations.md)',
  additionalProperties: false,
  default: {},
  properties: {
    url: {
      type: 'string',
      pattern: '^https?://.+',
      description: 'http://host:4318/v1/traces of a collector that takes OTLP over HTTP; default: no traces',
    },
    ratio: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      default: 0.01,
      description: '0 to 1: share of the frames that is traced (edge: of those that devices trace)',
    },
  },
};
