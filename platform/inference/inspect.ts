/** What ONNX Runtime makes of a model: operators after its optimisations, their shapes, and how long each one takes. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { type OnnxConstant, type OnnxNode, readOnnx, withOutputs } from './onnx.js';

/** A value's shape (a dimension that may vary counts as 1) and element type. */
export interface ValueShape {
  dims: readonly number[];
  type: string;
}

export interface Inspection {
  /** In the order of the file. */
  nodes: OnnxNode[];
  /** Of every input, constant, and result of a node. */
  shapes: Map<string, ValueShape>;
  /** Milliseconds of each run, by node name; empty without runs. */
  times: Map<string, number[]>;
}

export interface InspectOptions {
  /** Path of the .onnx file; external data is found beside it. */
  model: string;
  /** Threads inside one run; default: all processors. */
  threads?: number;
  /** Runs that are timed, after one to warm up; 0: none, not even that. */
  runs: number;
}

/**
 * Opens a model, lets ONNX Runtime optimise it for this machine, and reads what came out; times its operators if asked.
 * Blocks the calling thread while the model runs: for commands, not for the agent.
 * @throws Error of ONNX Runtime for a model that it cannot open or run
 */
export async function inspectModel({ model, threads, runs }: InspectOptions): Promise<Inspection> {
  const folder = await mkdtemp(join(tmpdir(), 'deepcod-inspect-'));
  try {
    const optimised = join(folder, 'optimised.onnx');
    const session = await ort.InferenceSession.create(model, {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads ?? availableParallelism(),
      interOpNumThreads: 1,
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
      optimizedModelFilePath: optimised,
      extra: { session: { intra_op: { allow_spinning: '0' } } },
      ...(runs > 0 && { enableProfiling: true, profileFilePrefix: join(folder, 'trace') }),
    });
    const shapes = new Map<string, ValueShape>();
    for (const info of session.inputMetadata) if (info.isTensor) shapes.set(info.name, shapeOf(info));
    try {
      if (runs > 0) {
        const feeds = Object.fromEntries([...shapes].map(([name, shape]) => [name, greyTensor(shape)]));
        for (let run = 0; run <= runs; run++) await session.run(feeds);
        session.endProfiling();
      }
    } finally {
      await session.release();
    }
    const { nodes, constants, bytes } = await readOptimised(optimised);
    for (const [name, constant] of constants) shapes.set(name, constant);
    await addShapes(shapes, bytes, nodes, await externalData(constants, dirname(model)));
    return { nodes, shapes, times: runs > 0 ? await readTrace(folder) : new Map() };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function shapeOf(info: ort.InferenceSession.TensorValueMetadata): ValueShape {
  return { dims: info.shape.map((size) => (typeof size === 'number' ? size : 1)), type: info.type };
}

/** Grey for pixels, the first rate. */
function greyTensor({ dims, type }: ValueShape): ort.Tensor {
  const size = dims.reduce((product, dim) => product * dim, 1);
  if (type === 'uint8') return new ort.Tensor('uint8', new Uint8Array(size).fill(114), dims);
  if (type === 'int64') return new ort.Tensor('int64', new BigInt64Array(size), dims);
  return new ort.Tensor('float32', new Float32Array(size).fill(0.5), dims);
}

async function readOptimised(file: string) {
  const bytes = await readFile(file);
  return { ...readOnnx(bytes), bytes };
}

/** Every result of a node becomes an output of the model: ONNX Runtime then says which shape it has. */
async function addShapes(
  shapes: Map<string, ValueShape>,
  bytes: Uint8Array,
  nodes: readonly OnnxNode[],
  externalData: ort.InferenceSession.SessionOptions['externalData'],
): Promise<void> {
  const results = nodes.flatMap(({ outputs }) => outputs).filter((name) => name !== '');
  const session = await ort.InferenceSession.create(withOutputs(bytes, results), {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'disabled',
    logSeverityLevel: 3,
    externalData,
  });
  for (const info of session.outputMetadata) if (info.isTensor) shapes.set(info.name, shapeOf(info));
  await session.release();
}

/** Constants that the optimised model still takes from files beside the original. */
async function externalData(constants: Map<string, OnnxConstant>, folder: string) {
  const locations = new Set([...constants.values()].flatMap(({ location }) => location ?? []));
  return Promise.all([...locations].map(async (path) => ({ path, data: await readFile(join(folder, path)) })));
}

interface TraceEvent {
  cat: string;
  name: string;
  /** Microseconds. */
  dur: number;
}

const KERNEL = '_kernel_time';

/** Times by node name, without those of the warm-up. */
async function readTrace(folder: string): Promise<Map<string, number[]>> {
  const file = (await readdir(folder)).find((name) => name.startsWith('trace') && name.endsWith('.json'));
  const events = file ? (JSON.parse(await readFile(join(folder, file), 'utf8')) as TraceEvent[]) : [];
  const times = new Map<string, number[]>();
  for (const { cat, name, dur } of events) {
    if (cat !== 'Node' || !name.endsWith(KERNEL)) continue;
    const node = name.slice(0, -KERNEL.length);
    times.set(node, [...(times.get(node) ?? []), dur / 1000]);
  }
  for (const list of times.values()) list.shift();
  return times;
}
