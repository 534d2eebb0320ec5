import type { ConfigSchema } from '../../platform/config.js';
import { logLevels } from '../../platform/log.js';
import { brokerSchema } from '../../platform/mqtt.js';
import { tracesSchema } from '../../platform/traces/config.js';
import { cameraSchema } from '../camera/schema.js';
import { agentMetricsSchema } from '../integrations/config.js';
import { updateSchema } from '../update/config.js';
import { captureSchema } from './capture.js';

/** What agent.yaml may hold. docs/schemas/agent.schema.json is written from this by `npm run schemas`. */
export const agentSchema: ConfigSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'docs/schemas/agent.schema.json',
  title: 'DeepCOD agent configuration',
  type: 'object',
  additionalProperties: false,
  required: ['bundle'],
  properties: {
    device: {
      type: 'string',
      pattern: '^(?!edge$)[A-Za-z0-9_-]{1,64}$',
      description: "this device's name at the broker: 1 to 64 of A-Z a-z 0-9 _ -, not edge; default: the host name",
    },
    base: {
      type: 'string',
      pattern: '^[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){0,5}$',
      default: 'deepcod',
      description: 'first levels of all topics: A-Z a-z 0-9 _ -, joined by /; the same at the edge',
    },
    broker: brokerSchema,
    bundle: { type: 'string', format: 'path', description: 'folder of the bundle to run; the edge needs the same one' },
    camera: cameraSchema,
    capture: captureSchema,
    partition: {
      type: 'string',
      minLength: 1,
      default: 'auto',
      description: 'auto, the id of a partition point, jpeg, raw (pixels as they are), or device (all of it here)',
    },
    rate: {
      anyOf: [{ const: 'auto' }, { type: 'integer', minimum: 0, maximum: 255 }],
      default: 'auto',
      description: 'auto, or the index of a rate of the partition point',
    },
    pictures: {
      type: 'boolean',
      default: false,
      description:
        'auto: the picture itself may be sent too, as JPEG or as pixels, where that is quicker (fast links): more bytes, and ' +
        'whoever reads them sees it',
    },
    accuracy_floor: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      default: 0.97,
      description: "auto: least accuracy relative to the uncompressed service's, 0 to 1",
    },
    privacy: {
      type: 'object',
      additionalProperties: false,
      default: {},
      description: 'what may leave this device',
      properties: {
        max_reveals: {
          type: 'number',
          minimum: 0,
          maximum: 1,
          description:
            'send only from partition points that reveal at most this (0 to 1, docs/privacy.md; a point without a figure ' +
            'is forbidden); default: no limit',
        },
      },
    },
    in_flight: {
      type: 'integer',
      minimum: 1,
      maximum: 16,
      default: 2,
      description: 'most frames on their way at a time',
    },
    timeout_ms: {
      type: 'integer',
      minimum: 50,
      maximum: 60000,
      default: 2000,
      description: 'a frame without an answer for so long is lost',
    },
    key_interval_s: {
      type: 'number',
      minimum: 0,
      maximum: 3600,
      default: 10,
      description: 'seconds after which a frame stands alone again; others hold only what changed; 0: all stand alone',
    },
    commands: {
      type: 'boolean',
      default: false,
      description:
        'true: whoever may publish to this device’s command topics at the broker may choose its partition point, within ' +
        'what privacy allows',
    },
    fallback: {
      type: 'boolean',
      default: true,
      description: 'run the service on the device while no edge answers',
    },
    results: {
      type: 'object',
      additionalProperties: false,
      default: {},
      description: 'what happens to results of this device while the broker cannot take them',
      properties: {
        folder: {
          type: 'string',
          format: 'path',
          description:
            'they are kept in this folder, of this agent alone, and published when the broker is back; default: nothing ' +
            'is kept, they are lost and counted',
        },
        megabytes: {
          type: 'number',
          minimum: 1,
          maximum: 1024,
          default: 16,
          description: 'most that the folder holds; beyond it the oldest results make room',
        },
      },
    },
    threads: {
      type: 'integer',
      minimum: 1,
      maximum: 64,
      description: 'threads of one inference; default: all processors',
    },
    prices: {
      type: 'object',
      additionalProperties: false,
      default: {},
      description: 'auto: what energy and data are worth; 0 counts latency alone',
      properties: {
        ms_per_mj: {
          type: 'number',
          minimum: 0,
          default: 0,
          description: 'a millijoule of this device is worth so many ms of latency (needs power)',
        },
        ms_per_kb: {
          type: 'number',
          minimum: 0,
          default: 0,
          description: 'a KB sent is worth so many ms of latency (metered links)',
        },
      },
    },
    power: {
      type: 'object',
      additionalProperties: false,
      required: ['idle_w', 'busy_w', 'send_w'],
      description: 'what this device draws, watts; default: published figures of this Raspberry Pi, else unknown',
      properties: {
        idle_w: { type: 'number', minimum: 0, maximum: 100, description: 'doing nothing' },
        busy_w: { type: 'number', minimum: 0, maximum: 100, description: 'computing on all cores' },
        send_w: { type: 'number', minimum: 0, maximum: 100, description: 'sending by radio' },
      },
    },
    profile: {
      type: 'object',
      additionalProperties: false,
      default: {},
      description: 'what the decision knows before anything was observed',
      properties: {
        file: {
          type: 'string',
          format: 'path',
          description: 'measured times are kept here; default: they are measured again at every start',
        },
        bandwidth_mbps: {
          type: 'number',
          exclusiveMinimum: 0,
          default: 10,
          description: 'link rate in Mbit/s that is assumed before the first transfer',
        },
        device_scale: {
          type: 'number',
          exclusiveMinimum: 0,
          default: 1,
          description: 'decide as if this device were so many times slower (to try out a decision on a fast machine)',
        },
      },
    },
    health: {
      type: 'object',
      additionalProperties: false,
      default: {},
      properties: {
        interval_s: {
          type: 'number',
          minimum: 0.1,
          maximum: 3600,
          default: 2,
          description: 'seconds between health messages',
        },
      },
    },
    update: updateSchema,
    metrics: agentMetricsSchema,
    traces: tracesSchema,
    log: {
      type: 'object',
      additionalProperties: false,
      default: {},
      properties: { level: { enum: [...logLevels], default: 'info', description: 'least level that is shown' } },
    },
  },
};
