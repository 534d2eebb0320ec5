import type { TensorInfo, TensorValue } from './tensor.js';

/** What the worker is started with. */
export interface WorkerSetup {
  model: string;
  threads: number;
  provider: string;
  spinning: boolean;
  frugal: boolean;
  portable: boolean;
}

export type ToWorker =
  | { kind: 'run'; id: number; feeds: Record<string, TensorValue>; giveBack: boolean }
  | { kind: 'call'; id: number }
  | { kind: 'close' };

export type FromWorker =
  | { kind: 'open'; inputs: TensorInfo[]; outputs: TensorInfo[]; openMs: number }
  | { kind: 'failed'; message: string }
  | {
      kind: 'result';
      id: number;
      outputs: Record<string, TensorValue>;
      feeds?: Record<string, TensorValue>;
      runMs: number;
    }
  | { kind: 'here'; id: number }
  | { kind: 'error'; id: number; message: string; feeds?: Record<string, TensorValue> };
