import type { InputSpec } from '../../letterbox.js';
import type { Manifest } from '../../manifest.js';
import type { Task } from '../task.js';
import { pictureOf } from '../tensor.js';
import { Candidates } from './candidates.js';
import { finish } from './finish.js';

/** One scale: a map [N, anchors * (5 + classes), h, w], as the last convolution leaves it. */
export interface YoloV3Output {
  name: string;
  /** Input pixels per cell. */
  stride: number;
  /** Width and height of each anchor, input pixels. */
  anchors: [number, number][];
  /** Darknet's scale_x_y; 1 in YOLOv3. */
  scale_xy?: number;
}

export interface YoloV3Rule {
  type: 'yolov3';
  outputs: YoloV3Output[];
}

/**
 * Darknet's `yolo` layer: centre = (sigmoid(t) * s - (s - 1) / 2 + cell) * stride, size = exp(t) * anchor,
 * score of a class = sigmoid(objectness) * sigmoid(class). Each class above the threshold is a candidate of its own.
 */
export const yolov3: Task = {
  task: 'detect',

  schema: {
    type: 'object',
    required: ['type', 'outputs'],
    additionalProperties: false,
    properties: {
      type: { const: 'yolov3' },
      outputs: {
        type: 'array',
        minItems: 1,
        maxItems: 8,
        description: '1 to 8 outputs',
        items: {
          type: 'object',
          required: ['name', 'stride', 'anchors'],
          additionalProperties: false,
          properties: {
            name: { type: 'string', minLength: 1, maxLength: 256, description: 'name of an output of the model' },
            stride: { type: 'integer', minimum: 1, maximum: 256 },
            anchors: {
              type: 'array',
              minItems: 1,
              maxItems: 16,
              description: '1 to 16 pairs of width and height',
              items: {
                type: 'array',
                minItems: 2,
                maxItems: 2,
                description: 'width and height',
                items: { type: 'number', exclusiveMinimum: 0 },
              },
            },
            scale_xy: { type: 'number', minimum: 1, maximum: 4 },
          },
        },
      },
    },
  },

  check(decode: unknown, input: InputSpec): string[] {
    return (decode as YoloV3Rule).outputs
      .filter(({ stride }) => input.width % stride !== 0 || input.height % stride !== 0)
      .map(({ stride }) => `stride ${stride} does not divide the input ${input.width}x${input.height}`);
  },

  postprocess(outputs, batchIndex, manifest: Manifest, source, options) {
    const rule = manifest.service.decode as YoloV3Rule;
    const classes = manifest.service.classes.length;
    const candidates = new Candidates();
    for (const output of rule.outputs) {
      const h = manifest.input.height / output.stride;
      const w = manifest.input.width / output.stride;
      const map = pictureOf(outputs, output.name, batchIndex, [output.anchors.length * (5 + classes), h, w]);
      collect(map, h, w, output, classes, options.score, candidates);
    }
    return finish(candidates, manifest, source, options);
  },
};

function collect(
  map: Float32Array,
  h: number,
  w: number,
  { anchors, stride, scale_xy: scale = 1 }: YoloV3Output,
  classes: number,
  threshold: number,
  candidates: Candidates,
): void {
  const cells = h * w;
  // score <= objectness, so cells below the threshold's logit go without a sigmoid; the slack covers rounding.
  const logit = Math.log(threshold / (1 - threshold)) - 1e-6;
  for (const [a, [anchorWidth, anchorHeight]] of anchors.entries()) {
    const base = a * (5 + classes) * cells;
    for (let cell = 0; cell < cells; cell++) {
      const raw = map[base + 4 * cells + cell];
      if (!(raw >= logit)) continue;
      const objectness = sigmoid(raw);
      for (let c = 0; c < classes; c++) {
        const score = objectness * sigmoid(map[base + (5 + c) * cells + cell]);
        if (!(score >= threshold)) continue;
        candidates.add(
          (sigmoid(map[base + cell]) * scale - (scale - 1) / 2 + (cell % w)) * stride,
          (sigmoid(map[base + cells + cell]) * scale - (scale - 1) / 2 + Math.floor(cell / w)) * stride,
          Math.exp(map[base + 2 * cells + cell]) * anchorWidth,
          Math.exp(map[base + 3 * cells + cell]) * anchorHeight,
          score,
          c,
        );
      }
    }
  }
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
