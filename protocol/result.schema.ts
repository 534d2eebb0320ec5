import type { Schema } from './validate.js';

const u32 = { type: 'integer', minimum: 0, maximum: 0xffffffff };
const milliseconds = { type: 'number', minimum: 0 };
const identity = {
  v: { const: 1 },
  session: u32,
  frame: u32,
  bundle: { type: 'string', pattern: '^[0-9a-f]{16}$', description: 'bundle id: 16 lower-case hex digits' },
  worker: { type: 'string', minLength: 1, maxLength: 64, description: '1 to 64 characters' },
};

const success: Schema = {
  type: 'object',
  required: [
    'v',
    'session',
    'frame',
    'bundle',
    'partition',
    'rate',
    'worker',
    'width',
    'height',
    'detections',
    'edge_ms',
  ],
  properties: {
    ...identity,
    partition: { type: 'string', minLength: 1, maxLength: 64, description: '1 to 64 characters' },
    rate: { type: 'integer', minimum: 0, maximum: 255 },
    width: { type: 'integer', minimum: 1, maximum: 65535 },
    height: { type: 'integer', minimum: 1, maximum: 65535 },
    detections: {
      type: 'array',
      maxItems: 1000,
      description: 'at most 1000 detections',
      items: {
        type: 'object',
        required: ['class', 'label', 'score', 'box'],
        properties: {
          class: { type: 'integer', minimum: 0, maximum: 65535 },
          label: { type: 'string', maxLength: 128, description: 'at most 128 characters' },
          score: { type: 'number', minimum: 0, maximum: 1 },
          box: {
            type: 'array',
            minItems: 4,
            maxItems: 4,
            items: { type: 'number', minimum: -65535, maximum: 65535 },
            description: 'x, y, width, height in pixels of the source picture',
          },
        },
      },
    },
    edge_ms: {
      type: 'object',
      required: ['queue', 'decode', 'tail', 'post', 'total'],
      properties: {
        queue: milliseconds,
        decode: milliseconds,
        tail: milliseconds,
        post: milliseconds,
        total: milliseconds,
      },
    },
    local: { type: 'boolean', description: 'made by the device itself' },
    at: {
      type: 'integer',
      minimum: 0,
      maximum: 8.64e15,
      description: "when the picture was taken, milliseconds since 1970 by the device's clock",
    },
    late: { type: 'boolean', description: 'kept while the broker was away, and published afterwards' },
  },
};

const failure: Schema = {
  type: 'object',
  required: ['v', 'session', 'frame', 'bundle', 'worker', 'error'],
  properties: {
    ...identity,
    error: {
      type: 'object',
      required: ['code', 'message'],
      properties: {
        code: { type: 'string', pattern: '^[a-z_]{1,64}$', description: 'lower-case letters and _' },
        message: { type: 'string', maxLength: 2048, description: 'at most 2048 characters' },
        hint: { type: 'string', maxLength: 2048, description: 'at most 2048 characters' },
        wait_ms: { type: 'number', minimum: 0 },
      },
    },
  },
};

/** What the edge publishes for a frame. Keys that a later version adds are allowed and ignored. */
export const resultSchema: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'DeepCOD result message, version 1',
  type: 'object',
  if: { required: ['error'] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema; the schema is never awaited
  then: failure,
  else: success,
};
