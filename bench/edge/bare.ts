/**
 * Child process of bench/edge.ts: one ONNX Runtime session in a loop, and nothing else. What no server can exceed with
 * the same model, batch, provider and threads. Told what to do by one message; answers with one.
 */
import { once } from 'node:events';
import * as ort from 'onnxruntime-node';

export interface BareTask {
  model: string;
  provider: string;
  /** 0: as ONNX Runtime thinks fit. */
  threads: number;
  batch: number;
  /** Of the input for pictures or symbols, without the batch. */
  dims: readonly number[];
  /** Idle threads spin, ONNX Runtime's own default. */
  spinning: boolean;
  ms: number;
}

export interface BareReport {
  fps: number;
  /** Processor time of a frame, ms. */
  cpu_ms: number;
}

const [task] = (await once(process, 'message')) as [BareTask];
const session = await ort.InferenceSession.create(task.model, {
  executionProviders: [task.provider],
  intraOpNumThreads: task.threads,
  interOpNumThreads: 1,
  graphOptimizationLevel: 'all',
  logSeverityLevel: 3,
  extra: { session: { intra_op: { allow_spinning: task.spinning ? '1' : '0' } } },
});
const feeds: Record<string, ort.Tensor> = {};
for (const name of session.inputNames) {
  if (name === 'rate') {
    feeds.rate = new ort.Tensor('int64', new BigInt64Array(task.batch), [task.batch]);
  } else {
    const size = task.dims.reduce((product, dim) => product * dim, task.batch);
    feeds[name] = new ort.Tensor('uint8', new Uint8Array(size).fill(4), [task.batch, ...task.dims]);
  }
}
for (let i = 0; i < 2; i++) await session.run(feeds);
const start = performance.now();
const cpu = process.cpuUsage();
let runs = 0;
while (performance.now() - start < task.ms) {
  await session.run(feeds);
  runs++;
}
const frames = runs * task.batch;
const fps = (1000 * frames) / (performance.now() - start);
const { user, system } = process.cpuUsage(cpu);
const report: BareReport = { fps, cpu_ms: (user + system) / 1000 / frames };
process.send?.(report, undefined, undefined, () => process.exit(0));
