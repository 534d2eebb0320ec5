import type { ConfigSchema } from '../../platform/config.js';

/** Section `updates` of edge.yaml. */
export interface UpdatesConfig {
  folder?: string;
  kbps: number;
}

export const updatesSchema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  default: {},
  description: 'releases for devices, as `deepcod publish` puts them down (docs/updates.md)',
  properties: {
    folder: {
      type: 'string',
      format: 'path',
      description:
        'folder of releases: what appears in it is served, and offered to the devices that it is meant for, without a ' +
        'restart; default: none',
    },
    kbps: {
      type: 'integer',
      minimum: 8,
      maximum: 10_000_000,
      default: 20_000,
      description: '8..10000000 kbit/s at most for releases, to all devices together',
    },
  },
};
