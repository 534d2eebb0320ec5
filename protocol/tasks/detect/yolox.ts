import { ProtocolError } from '../../errors.js';
import type { InputSpec } from '../../letterbox.js';
import type { Manifest } from '../../manifest.js';
import type { Task } from '../task.js';
import { pictureOf } from '../tensor.js';
import { Candidates } from './candidates.js';
import { finish } from './finish.js';

export interface YoloxRule {
  type: 'yolox';
  /** Input pixels per cell, in the order in which the output holds the grids. */
  strides: number[];
  /** Name of the output; needed only when the model has several. */
  output?: string;
}

/**
 * One output [N, anchors, 5 + classes], one anchor per cell, grids row by row: centre = (t + cell) * stride,
 * size = exp(t) * stride; objectness and classes are already sigmoids. A cell is a candidate for its best class.
 */
export const yolox: Task = {
  task: 'detect',

  schema: {
    type: 'object',
    required: ['type', 'strides'],
    additionalProperties: false,
    properties: {
      type: { const: 'yolox' },
      strides: {
        type: 'array',
        minItems: 1,
        maxItems: 8,
        description: '1 to 8 strides',
        items: { type: 'integer', minimum: 1, maximum: 256 },
      },
      output: { type: 'string', minLength: 1, maxLength: 256, description: 'name of an output of the model' },
    },
  },

  check(decode: unknown, input: InputSpec): string[] {
    return (decode as YoloxRule).strides
      .filter((stride) => input.width % stride !== 0 || input.height % stride !== 0)
      .map((stride) => `stride ${stride} does not divide the input ${input.width}x${input.height}`);
  },

  postprocess(outputs, batchIndex, manifest: Manifest, source, options) {
    const rule = manifest.service.decode as YoloxRule;
    const { width, height } = manifest.input;
    const row = 5 + manifest.service.classes.length;
    const name = rule.output ?? onlyName(Object.keys(outputs));
    const anchors = rule.strides.reduce((sum, s) => sum + (width / s) * (height / s), 0);
    const rows = pictureOf(outputs, name, batchIndex, [anchors, row]);
    const candidates = new Candidates();
    let at = 0;
    for (const stride of rule.strides) {
      for (let y = 0; y < height / stride; y++) {
        for (let x = 0; x < width / stride; x++, at += row) {
          const objectness = rows[at + 4];
          if (!(objectness >= options.score)) continue;
          let best = 5;
          for (let c = 6; c < row; c++) if (rows[at + c] > rows[at + best]) best = c;
          const score = objectness * rows[at + best];
          if (!(score >= options.score)) continue;
          const w = Math.exp(rows[at + 2]) * stride;
          const h = Math.exp(rows[at + 3]) * stride;
          candidates.add((rows[at] + x) * stride, (rows[at + 1] + y) * stride, w, h, score, best - 5);
        }
      }
    }
    return finish(candidates, manifest, source, options);
  },
};

function onlyName(names: string[]): string {
  if (names.length === 1) return names[0];
  throw new ProtocolError('task_outputs', `service.decode.output must name one of the outputs ${names.join(', ')}`);
}
