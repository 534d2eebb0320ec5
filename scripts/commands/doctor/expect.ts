import { DEVICES } from '../../../agent/partition/boards.js';
import { BOARD_POWER } from '../../../agent/partition/energy.js';

/** What a service should take on a board. */
export interface Expectation {
  board: string;
  /** Milliseconds on all four cores. */
  least: number;
  most: number;
  source: string;
}

/** Floating-point operations of YOLOX-nano at 416x416, as manifests count them (two per multiplication and addition). */
const YOLOX_NANO_FLOPS = 1.08e9;
/** Best published rate of ONNX Runtime on a Pi 5, dense convolutions, operations per second. */
const PI_5_BEST = 66e9;
/** Start of a run, threads, memory: what even the smallest model takes, ms. */
const OVERHEAD_MS = 5;

/**
 * The published range for a model on a Raspberry Pi: between the best rate known (dense convolutions) and YOLOX-nano's
 * (depthwise ones, which reach the least).
 * @param model text of /proc/device-tree/model @param flops the whole service's
 * @returns undefined for machines without published figures
 */
export function expectation(model: string | undefined, flops: number): Expectation | undefined {
  const id = Object.entries(BOARD_POWER).find(([, board]) => model?.startsWith(board.model))?.[0];
  const device = DEVICES.find((one) => one.id === id);
  const pi5 = DEVICES.find((one) => one.id === 'pi-5');
  if (!device || !pi5) return undefined;
  const slowDown = device.yolox_nano_ms / pi5.yolox_nano_ms;
  return {
    board: device.name,
    least: (flops / PI_5_BEST) * 1000 * slowDown,
    most: (flops / YOLOX_NANO_FLOPS) * device.yolox_nano_ms + OVERHEAD_MS,
    source: device.source,
  };
}
