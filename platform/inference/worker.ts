/**
 * The inside of an inference thread: one ONNX Runtime session, runs one after the other, ends by itself when asked.
 * Started by InferenceWorker only.
 */
import { parentPort, workerData } from 'node:worker_threads';
import * as ort from 'onnxruntime-node';
import type { FromWorker, ToWorker, WorkerSetup } from './messages.js';
import { type TensorArrays, type TensorInfo, type TensorType, type TensorValue, wholeBuffers } from './tensor.js';

const port = parentPort;
if (!port) throw new Error('platform/inference/worker.js runs as a worker thread only');
const setup = workerData as WorkerSetup;

const send = (message: FromWorker, transfer: readonly ArrayBuffer[] = []) => port.postMessage(message, [...transfer]);

function infos(metadata: readonly ort.InferenceSession.ValueMetadata[]): TensorInfo[] {
  return metadata.map((value) =>
    value.isTensor
      ? { name: value.name, type: value.type, shape: value.shape }
      : { name: value.name, type: 'not a tensor', shape: [] },
  );
}

async function run(session: ort.InferenceSession, message: ToWorker & { kind: 'run' }): Promise<void> {
  const { id, feeds, giveBack } = message;
  const back = giveBack ? feeds : undefined;
  try {
    const tensors: Record<string, ort.Tensor> = {};
    for (const [name, { type, data, dims }] of Object.entries(feeds)) {
      tensors[name] = new ort.Tensor(type as 'float32', data as Float32Array, dims);
    }
    const start = performance.now();
    const results = await session.run(tensors);
    const runMs = performance.now() - start;
    const outputs: Record<string, TensorValue> = {};
    for (const [name, tensor] of Object.entries(results)) {
      outputs[name] = {
        type: tensor.type as TensorType,
        dims: tensor.dims,
        data: tensor.data as TensorArrays[TensorType],
      };
    }
    send({ kind: 'result', id, outputs, feeds: back, runMs }, [...wholeBuffers(outputs), ...wholeBuffers(back ?? {})]);
  } catch (error) {
    send({ kind: 'error', id, message: (error as Error).message, feeds: back }, wholeBuffers(back ?? {}));
  }
}

try {
  const start = performance.now();
  const session = await ort.InferenceSession.create(setup.model, {
    executionProviders: [setup.provider],
    intraOpNumThreads: setup.threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    // A plan of all intermediate results is memory beside that of the first run, and no faster.
    enableMemPattern: !setup.frugal,
    extra: {
      session: { intra_op: { allow_spinning: setup.spinning ? '1' : '0' } },
      ...(setup.portable && { optimization: { disable_specified_optimizers: 'NchwcTransformer' } }),
    },
  });
  let last: Promise<void> = Promise.resolve();
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'run') {
      last = last.then(() => run(session, message));
    } else if (message.kind === 'call') {
      last = last.then(() => send({ kind: 'here', id: message.id }));
    } else {
      last = last.then(() => session.release()).finally(() => port.close());
    }
  });
  send({
    kind: 'open',
    inputs: infos(session.inputMetadata),
    outputs: infos(session.outputMetadata),
    openMs: performance.now() - start,
  });
} catch (error) {
  send({ kind: 'failed', message: (error as Error).message });
  port.close();
}
