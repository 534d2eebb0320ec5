/**
 * How long a model will take on this device, from its operators: after FastDeepIoT (Yao et al., SenSys 2018), the time of
 * an operator is linear in its FLOPs and in the bytes that it moves, with weights for each kind of operator.
 */
import type { TimedOperator } from '../../../platform/inference/inspect.js';
import { evaluate, leastSquares, type Observation, type Weights } from './fit.js';
import { type Operation, operationOf } from './ops.js';

/** Weights of fewer different operations than these are not trusted: the family's are used. */
const ENOUGH = 3;

/** Fitted weights, as they are stored. FLOPs in units of 1e9, bytes of 1e6, results in ms. */
export interface TimeModel {
  kinds: Record<string, Weights>;
  families: Record<string, Weights>;
  /** A run takes so many times what its operators take one by one. */
  scale: number;
  /** What a frame takes besides the run: to the inference thread and back, ms. */
  overhead_ms: number;
}

/** A model that was measured. */
export interface MeasuredModel {
  /** Operations with their times, ms. */
  operations: { operation: Operation; ms: number }[];
  /** Mean of a run inside ONNX Runtime, and of all of it, ms. */
  runMs: number;
  totalMs: number;
}

/** @param operators each timed at least once @param runMs, totalMs means, ms */
export function measuredModel(operators: readonly TimedOperator[], runMs: number, totalMs: number): MeasuredModel {
  const operations = operators.map((operator) => ({ operation: operationOf(operator), ms: calm(operator.times) }));
  return { operations, runMs, totalMs };
}

/** Fits a model. @param measured at least one */
export function fitTimeModel(measured: readonly MeasuredModel[]): TimeModel {
  const kinds = new Map<string, Observation[]>();
  const families = new Map<string, Observation[]>();
  const add = (groups: Map<string, Observation[]>, key: string, observation: Observation) => {
    const group = groups.get(key);
    if (group) group.push(observation);
    else groups.set(key, [observation]);
  };
  const all = measured.flatMap(({ operations }) => operations);
  for (const { operation, ms } of all) {
    const observation = { x: features(operation), ms };
    add(kinds, operation.kind, observation);
    add(families, operation.family, observation);
  }
  const different = (group: Observation[]) => new Set(group.map(({ x }) => x.join())).size;
  const runs = measured.reduce((sum, { runMs }) => sum + runMs, 0);
  const totals = measured.reduce((sum, { totalMs }) => sum + totalMs, 0);
  return {
    kinds: fitted([...kinds].filter(([, group]) => different(group) >= ENOUGH)),
    families: fitted([...families]),
    scale: runs / all.reduce((sum, { ms }) => sum + ms, 0),
    overhead_ms: Math.max(0, (totals - runs) / measured.length),
  };
}

/**
 * Milliseconds that a model is expected to take.
 * @throws Error for an operator of a family that was never measured
 */
export function predictTime(model: TimeModel, operations: readonly Operation[]): number {
  const sum = operations.reduce((total, operation) => {
    const weights = model.kinds[operation.kind] ?? model.families[operation.family];
    if (!weights) throw new Error(`no ${operation.family} operator like ${operation.kind} was measured`);
    return total + evaluate(weights, features(operation));
  }, 0);
  return model.overhead_ms + model.scale * sum;
}

/** Each model's time as predicted from the others. @returns undefined where the others do not say enough */
export function leaveOneOut(measured: readonly MeasuredModel[]): (number | undefined)[] {
  return measured.map((left) => {
    const others = measured.filter((one) => one !== left);
    if (others.length === 0) return undefined;
    try {
      return predictTime(
        fitTimeModel(others),
        left.operations.map(({ operation }) => operation),
      );
    } catch {
      return undefined;
    }
  });
}

/** Whether a value read from a file is a model. */
export function isTimeModel(value: unknown): value is TimeModel {
  const { kinds, families, scale, overhead_ms } = (value ?? {}) as Partial<Record<keyof TimeModel, unknown>>;
  const isAmount = (x: unknown): boolean => typeof x === 'number' && Number.isFinite(x) && x >= 0;
  const isWeights = (x: unknown): boolean => Array.isArray(x) && x.length === 3 && x.every(isAmount);
  const areWeights = (x: unknown): boolean => typeof x === 'object' && x !== null && Object.values(x).every(isWeights);
  return areWeights(kinds) && areWeights(families) && isAmount(scale) && isAmount(overhead_ms);
}

function fitted(groups: [string, Observation[]][]): Record<string, Weights> {
  return Object.fromEntries(groups.map(([key, group]) => [key, leastSquares(group)]));
}

function features({ flops, bytes }: Operation): Weights {
  return [flops / 1e9, bytes / 1e6, 1];
}

/** Mean of the faster half: a pause of the process in a tenth of a millisecond would count for a hundred of them. */
function calm(times: readonly number[]): number {
  const half = [...times].sort((a, b) => a - b).slice(0, Math.ceil(times.length / 2));
  return half.reduce((sum, ms) => sum + ms, 0) / half.length;
}
