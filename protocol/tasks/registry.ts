import { type YoloV3Rule, yolov3 } from './detect/yolov3.js';
import { type YoloxRule, yolox } from './detect/yolox.js';
import type { Task } from './task.js';

/** `service.decode` of a manifest. */
export type DecodeRule = YoloV3Rule | YoloxRule;

/** All rules by `service.decode.type`. A new one is a file and a line here. */
export const tasks: Readonly<Record<DecodeRule['type'], Task>> = {
  yolov3,
  yolox,
};
