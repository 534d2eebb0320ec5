import { tasks } from './tasks/registry.js';
import type { Schema } from './validate.js';

const text = { type: 'string', minLength: 1, maxLength: 4096, description: 'text, not empty' };
const flops = { type: 'number', minimum: 0 };
const side = (max: number) => ({ type: 'integer', minimum: 1, maximum: max });
const provenance = {
  description: 'text, or an object for programs',
  anyOf: [text, { type: 'object' }],
};
const path = {
  type: 'string',
  pattern: '^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$',
  maxLength: 200,
  description: 'a relative path inside the bundle: letters, digits, . _ - with / between, no ".."',
};

const accuracy = {
  type: 'object',
  required: ['dataset', 'images'],
  properties: {
    dataset: text,
    images: { type: 'integer', minimum: 1 },
    ap: { type: 'number', minimum: 0, maximum: 1 },
    ap50: { type: 'number', minimum: 0, maximum: 1 },
    ap_relative: { type: 'number', minimum: 0 },
    ap50_relative: { type: 'number', minimum: 0 },
  },
  additionalProperties: { type: ['number', 'string'] },
};

const service = {
  type: 'object',
  required: [
    'name',
    'task',
    'classes',
    'licence',
    'provenance',
    'model',
    'flops',
    'decode',
    'score_threshold',
    'nms_iou',
  ],
  additionalProperties: false,
  properties: {
    name: { type: 'string', pattern: '^[a-z0-9][a-z0-9._-]{0,63}$', description: '1 to 64 of a-z 0-9 . _ -' },
    task: { enum: [...new Set(Object.values(tasks).map((t) => t.task))] },
    classes: {
      type: 'array',
      minItems: 1,
      maxItems: 1000,
      uniqueItems: true,
      items: { type: 'string', minLength: 1, maxLength: 128, description: '1 to 128 characters' },
      description: '1 to 1000 different names',
    },
    licence: text,
    provenance,
    model: path,
    model_yuv: path,
    flops,
    decode: {
      type: 'object',
      required: ['type'],
      discriminator: { propertyName: 'type' },
      oneOf: Object.values(tasks).map((t) => t.schema),
    },
    score_threshold: { type: 'number', minimum: 0, maximum: 1 },
    nms_iou: { type: 'number', minimum: 0, maximum: 1 },
  },
};

const partition = {
  type: 'object',
  required: ['id', 'head', 'tail', 'code', 'entropy', 'rates', 'flops'],
  additionalProperties: false,
  properties: {
    id: { type: 'string', pattern: '^[a-z0-9][a-z0-9_-]{0,31}$', description: '1 to 32 of a-z 0-9 _ -' },
    head: path,
    head_yuv: path,
    tail: path,
    code: {
      type: 'object',
      required: ['height', 'width', 'channels', 'levels'],
      additionalProperties: false,
      properties: {
        height: side(2048),
        width: side(2048),
        channels: side(4096),
        levels: { type: 'integer', minimum: 2, maximum: 255 },
      },
    },
    entropy: path,
    rates: {
      type: 'array',
      minItems: 1,
      maxItems: 16,
      description: '1 to 16 rates',
      items: {
        type: 'object',
        required: ['payload_bytes_mean'],
        additionalProperties: false,
        properties: { payload_bytes_mean: { type: 'number', exclusiveMinimum: 0 }, accuracy },
      },
    },
    flops: {
      type: 'object',
      required: ['prefix', 'encoder', 'decoder', 'remainder'],
      additionalProperties: false,
      properties: { prefix: flops, encoder: flops, decoder: flops, remainder: flops },
    },
    accuracy,
    reveals: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      description: 'how much of the picture a decoder can show, 0 to 1 (docs/privacy.md)',
    },
    licence: text,
    provenance,
  },
};

/** manifest.json, format 1. `npm run schemas` publishes it in docs/schemas/. */
export const manifestSchema: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'DeepCOD bundle manifest, format 1',
  type: 'object',
  required: ['format', 'service', 'input', 'partitions', 'files'],
  additionalProperties: false,
  properties: {
    format: { const: 1 },
    service,
    input: {
      type: 'object',
      required: ['width', 'height', 'letterbox'],
      additionalProperties: false,
      properties: {
        width: { type: 'integer', minimum: 16, maximum: 4096 },
        height: { type: 'integer', minimum: 16, maximum: 4096 },
        letterbox: {
          type: 'object',
          required: ['align', 'pad'],
          additionalProperties: false,
          properties: {
            align: { enum: ['top-left', 'center', 'stretch'] },
            pad: { type: 'integer', minimum: 0, maximum: 255 },
          },
        },
      },
    },
    partitions: { type: 'array', maxItems: 32, items: partition, description: 'at most 32 partition points' },
    pictures: {
      type: 'array',
      minItems: 1,
      maxItems: 16,
      description: '1 to 16 qualities of JPEG',
      items: {
        type: 'object',
        required: ['quality', 'payload_bytes_mean'],
        additionalProperties: false,
        properties: {
          quality: { type: 'integer', minimum: 1, maximum: 100 },
          payload_bytes_mean: { type: 'number', exclusiveMinimum: 0 },
          accuracy,
        },
      },
    },
    device: { type: 'object', additionalProperties: false, properties: { accuracy } },
    accuracy,
    files: {
      type: 'object',
      minProperties: 1,
      maxProperties: 1000,
      description: '1 to 1000 files',
      additionalProperties: {
        type: 'object',
        required: ['bytes', 'sha256'],
        additionalProperties: false,
        properties: {
          bytes: { type: 'integer', minimum: 1, maximum: 4 * 1024 ** 3 },
          sha256: { type: 'string', pattern: '^[0-9a-f]{64}$', description: '64 lower-case hex digits' },
        },
      },
    },
  },
};
