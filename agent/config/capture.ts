import type { ConfigSchema } from '../../platform/config.js';

/** `capture` of agent.yaml: whether pictures may be kept on this device, and who said so. */
export interface CaptureConfig {
  consent: boolean;
  agreed?: string;
}

export const captureSchema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  default: {},
  description: 'keeping pictures for training with `deepcod capture`',
  properties: {
    consent: {
      type: 'boolean',
      default: false,
      description: 'true: the owner of the site agrees that pictures are kept; needs agreed',
    },
    agreed: {
      type: 'string',
      minLength: 8,
      maxLength: 200,
      description: 'who agreed, and when: "A. Berg, site manager, 2026-11-21"; written beside the pictures',
    },
  },
};
