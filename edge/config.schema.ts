import type { ConfigSchema } from '../platform/config.js';
import { type Provider, providers } from '../platform/inference/provider.js';
import { type LogLevel, logLevels } from '../platform/log.js';
import { type BrokerConfig, brokerSchema } from '../platform/mqtt.js';
import { type TracesConfig, tracesSchema } from '../platform/traces/config.js';
import { type EmbeddedBrokerConfig, embeddedBrokerProperties } from './broker/config.js';
import { type HomeAssistantConfig, homeAssistantSchema } from './integrations/home-assistant/config.js';
import { type EdgeMetricsConfig, edgeMetricsSchema } from './integrations/prometheus/config.js';
import { type AlertsConfig, alertsSchema } from './rules/config.js';
import { type HistoryConfig, historySchema } from './store/history/config.js';
import { type UpdatesConfig, updatesSchema } from './update/config.js';
import { type WebAuthConfig, webAuthProperties } from './web/auth/config.js';

/** Configuration of the edge's process. */
export interface EdgeConfig {
  broker: Omit<BrokerConfig, 'url'> & {
    /** Start a broker in this process; default: yes, unless `url` names another. */
    embedded?: boolean;
    host: string;
    port: number;
    url?: string;
  } & EmbeddedBrokerConfig;
  base: string;
  worker: string;
  share: string;
  bundles: string[];
  web: { enabled: boolean; host: string; port: number } & WebAuthConfig;
  history: HistoryConfig;
  alerts: AlertsConfig;
  home_assistant: HomeAssistantConfig;
  metrics: EdgeMetricsConfig;
  traces: TracesConfig;
  inference: {
    provider: Provider | 'auto';
    threads?: number;
    batch: number;
    parallel: number;
    max_loaded: number;
    megabytes?: number;
    measure: boolean;
  };
  queue: { depth: number; devices: number; megabytes: number; max_age_ms: number };
  references: { megabytes: number };
  status_interval_s: number;
  updates: UpdatesConfig;
  log: { level: LogLevel };
}

const { url: _required, ...brokerProperties } = brokerSchema.properties ?? {};
const name = '^[A-Za-z0-9_-]{1,64}$';

/** `edge.yaml`; `npm run schemas` publishes it in docs/schemas/. */
export const edgeConfigSchema: ConfigSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'docs/schemas/edge.schema.json',
  title: 'DeepCOD edge configuration',
  type: 'object',
  additionalProperties: false,
  required: ['bundles'],
  properties: {
    broker: {
      ...brokerSchema,
      properties: {
        embedded: {
          type: 'boolean',
          description:
            'true: start a broker in this process; false: connect to broker.url (default: true without a url)',
        },
        host: {
          type: 'string',
          minLength: 1,
          default: '127.0.0.1',
          description: 'address the embedded broker listens on; 0.0.0.0 opens it to the network, with tls or insecure',
        },
        port: {
          type: 'integer',
          minimum: 0,
          maximum: 65535,
          default: 1883,
          description: '0..65535; 0 takes a free port',
        },
        url: {
          type: 'string',
          pattern: '^(mqtt|mqtts|ws|wss)://.+',
          description:
            'mqtt://host:1883, mqtts://host:8883, ws://host/path or wss://host/path, without a password in it',
        },
        ...embeddedBrokerProperties,
        ...brokerProperties,
      },
    },
    base: {
      type: 'string',
      pattern: '^[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){0,5}$',
      default: 'deepcod',
      description: 'base of all topics: 1 to 6 levels of A-Z a-z 0-9 _ -, joined by /',
    },
    worker: {
      type: 'string',
      pattern: name,
      default: 'edge-1',
      description: "this edge's name: 1 to 64 of A-Z a-z 0-9 _ -, different for each edge at a broker",
    },
    share: {
      type: 'string',
      pattern: name,
      default: 'edge',
      description: 'group of workers at one MQTT 5 broker: each frame goes to one of them; 1 to 64 of A-Z a-z 0-9 _ -',
    },
    bundles: {
      type: 'array',
      minItems: 1,
      maxItems: 64,
      items: { type: 'string', minLength: 1, description: 'folder of a bundle' },
      description: 'folders of the bundles to serve, 1 to 64; relative ones are taken from the folder of this file',
    },
    web: {
      type: 'object',
      description: 'the web page',
      additionalProperties: false,
      default: {},
      properties: {
        enabled: { type: 'boolean', default: true, description: 'true or false' },
        host: {
          type: 'string',
          minLength: 1,
          default: '127.0.0.1',
          description: 'address the page listens on; 0.0.0.0 opens it to the network',
        },
        ...webAuthProperties,
        port: {
          type: 'integer',
          minimum: 0,
          maximum: 65535,
          default: 8080,
          description: '0..65535; 0 takes a free port',
        },
      },
    },
    history: historySchema,
    alerts: alertsSchema,
    home_assistant: homeAssistantSchema,
    metrics: edgeMetricsSchema,
    traces: tracesSchema,
    inference: {
      type: 'object',
      description: 'how models are run',
      additionalProperties: false,
      default: {},
      properties: {
        provider: {
          enum: ['auto', ...providers],
          default: 'auto',
          description:
            'execution provider of ONNX Runtime; auto takes the first of these that really runs a model here',
        },
        threads: {
          type: 'integer',
          minimum: 1,
          maximum: 256,
          description: '1..256 threads inside one run; default: all processors',
        },
        batch: {
          type: 'integer',
          minimum: 1,
          maximum: 64,
          default: 8,
          description: '1..64 frames in one run, at most; how many it are is learnt from how long runs take',
        },
        parallel: {
          type: 'integer',
          minimum: 1,
          maximum: 8,
          default: 2,
          description: '1..8 batches in work at the same time: with 2, one is decoded while another runs',
        },
        max_loaded: {
          type: 'integer',
          minimum: 1,
          maximum: 256,
          default: 8,
          description: '1..256 models kept loaded, at most; they are loaded when the first frame needs them',
        },
        megabytes: {
          type: 'integer',
          minimum: 16,
          maximum: 1_048_576,
          description:
            '16..1048576 MB for loaded models; the one unused for longest is unloaded first; default: half of the memory',
        },
        measure: {
          type: 'boolean',
          default: true,
          description:
            'measure every tail after the start, while no frame is there, and announce the times to the devices',
        },
      },
    },
    queue: {
      type: 'object',
      description: 'frames that wait',
      additionalProperties: false,
      default: {},
      properties: {
        depth: {
          type: 'integer',
          minimum: 1,
          maximum: 64,
          default: 2,
          description: '1..64 frames of one device that wait, at most; then the newest takes the place of the oldest',
        },
        devices: {
          type: 'integer',
          minimum: 1,
          maximum: 100_000,
          default: 4096,
          description: '1..100000 devices with frames waiting',
        },
        megabytes: {
          type: 'integer',
          minimum: 4,
          maximum: 65536,
          default: 256,
          description: '4..65536 MB of frames that wait',
        },
        max_age_ms: {
          type: 'integer',
          minimum: 10,
          maximum: 3_600_000,
          default: 5000,
          description: '10..3600000: frames that waited longer are dropped and counted',
        },
      },
    },
    references: {
      type: 'object',
      description: 'frames that later ones of the same device are predicted from',
      additionalProperties: false,
      default: {},
      properties: {
        megabytes: {
          type: 'integer',
          minimum: 1,
          maximum: 65536,
          default: 256,
          description:
            '1..65536 MB of decoded frames, of all devices; the device unused for longest is forgotten first',
        },
      },
    },
    status_interval_s: {
      type: 'number',
      minimum: 0.1,
      maximum: 3600,
      default: 5,
      description: '0.1..3600 seconds between two status messages',
    },
    updates: updatesSchema,
    log: {
      type: 'object',
      description: 'messages on standard error',
      additionalProperties: false,
      default: {},
      properties: { level: { enum: [...logLevels], default: 'info', description: 'least level that is shown' } },
    },
  },
};
