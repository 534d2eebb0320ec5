import type { ConfigSchema } from '../../platform/config.js';

/** Section `update` of agent.yaml. */
export interface UpdateConfig {
  keys?: string;
  folder?: string;
  megabytes: number;
  kbps: number;
}

export const updateSchema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  default: {},
  description: 'releases that edges offer: bundles and settings, signed (docs/updates.md)',
  properties: {
    keys: {
      type: 'string',
      format: 'path',
      description:
        'public keys of those who may sign releases: a PEM file, or a folder of them; default: none, no release is taken',
    },
    folder: {
      type: 'string',
      format: 'path',
      description: 'where releases are kept, of this agent alone; needed with keys',
    },
    megabytes: {
      type: 'integer',
      minimum: 1,
      maximum: 65536,
      default: 1024,
      description: '1..65536 MB that the folder may hold: the bundle that runs, the one before, and the next one',
    },
    kbps: {
      type: 'integer',
      minimum: 8,
      maximum: 1_000_000,
      default: 2000,
      description: '8..1000000 kbit/s at most for fetching a release',
    },
  },
};
