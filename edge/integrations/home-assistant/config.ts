import type { ConfigSchema } from '../../../platform/config.js';
import { DEFAULT_DISCOVERY } from '../../broker/grants.js';

/** Section `home_assistant` of edge.yaml. */
export interface HomeAssistantConfig {
  enabled: boolean;
  /** Home Assistant's discovery prefix. */
  prefix: string;
  /** Seconds between two pictures of one camera, at least; 0: no pictures. */
  picture_s: number;
}

export const homeAssistantSchema: ConfigSchema = {
  type: 'object',
  description: 'cameras as devices of Home Assistant, by MQTT discovery (docs/integrations.md); needs the page',
  additionalProperties: false,
  default: {},
  properties: {
    enabled: {
      type: 'boolean',
      default: false,
      description: 'true: announce every camera to Home Assistant; of several edges at a broker, one does',
    },
    prefix: {
      type: 'string',
      pattern: '^[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){0,5}$',
      default: DEFAULT_DISCOVERY,
      description: "Home Assistant's discovery prefix: 1 to 6 levels of A-Z a-z 0-9 _ -, joined by /",
    },
    picture_s: {
      type: 'number',
      minimum: 0,
      maximum: 3600,
      default: 10,
      description: '0..3600 seconds between two pictures of a camera that sends pictures, at least; 0: none',
    },
  },
};
