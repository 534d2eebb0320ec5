/**
 * What ONNX Runtime makes of a model: its operators after the optimisations for this machine, with their shapes, and how
 * long each one takes. Blocks the calling thread: for commands, not for the agent.
 */
import './no-telemetry.js';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { type OnnxConstant, readOnnx, withOutputs } from './onnx.js';

/** A tensor's shape (a dimension that may vary counts as 1) and element type. */
export interface TensorShape {
  dims: readonly number[];
  type: string;
}

/** One operator as it is run. */
export interface Operator {
  /** Without its domain: Conv, Concat, ... */
  type: string;
  /** Constants included, those left out not. */
  inputs: TensorShape[];
  outputs: TensorShape[];
}

/** An operator with the milliseconds of each run. */
export interface TimedOperator extends Operator {
  times: number[];
}

export interface InspectOptions {
  /** Path of the .onnx file; external data is found beside it. */
  model: string;
  /** Threads inside one run; default: all processors. */
  threads?: number;
}

/**
 * Runs a model and reads the times of its operators.
 * @param runs that are timed, after one to warm up
 * @throws Error of ONNX Runtime for a model that it cannot open or run
 */
export async function timeOperators(options: InspectOptions, runs: number): Promise<TimedOperator[]> {
  return inFolder(async (folder) => {
    const session = await open(options, { enableProfiling: true, profileFilePrefix: join(folder, 'trace') });
    try {
      const inputs = session.inputMetadata.filter((info) => info.isTensor);
      const feeds = Object.fromEntries(inputs.map((info) => [info.name, greyTensor(shapeOf(info))]));
      for (let run = 0; run <= runs; run++) await session.run(feeds);
      session.endProfiling();
    } finally {
      await session.release();
    }
    const [file] = await readdir(folder);
    return readTrace(await readFile(join(folder, file), 'utf8'));
  });
}

/**
 * Reads a model's operators without running it.
 * @throws Error of ONNX Runtime for a model that it cannot open, or for a result whose shape it does not know
 */
export async function readOperators(options: InspectOptions): Promise<Operator[]> {
  return inFolder(async (folder) => {
    const file = join(folder, 'optimised.onnx');
    const session = await open(options, { optimizedModelFilePath: file });
    const shapes = new Map<string, TensorShape>();
    addShapes(shapes, session.inputMetadata);
    await session.release();
    const bytes = await readFile(file);
    const { nodes, constants } = readOnnx(bytes);
    for (const [name, constant] of constants) shapes.set(name, constant);
    // Every result becomes an output of the model: ONNX Runtime then says which shape it has.
    const results = nodes.flatMap(({ outputs }) => outputs).filter((name) => name !== '');
    const shaped = await ort.InferenceSession.create(withOutputs(bytes, results), {
      ...quiet,
      graphOptimizationLevel: 'disabled',
      externalData: await externalData(constants, dirname(options.model)),
    });
    addShapes(shapes, shaped.outputMetadata);
    await shaped.release();
    const find = (names: string[]): TensorShape[] =>
      names.flatMap((name) => {
        if (name === '') return [];
        const shape = shapes.get(name);
        if (!shape) throw new Error(`${options.model}: the shape of ${name} is not known`);
        return shape;
      });
    return nodes.map(({ type, inputs, outputs }) => ({ type, inputs: find(inputs), outputs: find(outputs) }));
  });
}

const quiet: ort.InferenceSession.SessionOptions = { executionProviders: ['cpu'], logSeverityLevel: 3 };

/** As the inference threads open it. */
function open({ model, threads }: InspectOptions, more: ort.InferenceSession.SessionOptions) {
  return ort.InferenceSession.create(model, {
    ...quiet,
    intraOpNumThreads: threads ?? availableParallelism(),
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    extra: { session: { intra_op: { allow_spinning: '0' } } },
    ...more,
  });
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'deepcod-inspect-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function shapeOf(info: ort.InferenceSession.TensorValueMetadata): TensorShape {
  return { dims: info.shape.map((size) => (typeof size === 'number' ? size : 1)), type: info.type };
}

function addShapes(shapes: Map<string, TensorShape>, infos: readonly ort.InferenceSession.ValueMetadata[]): void {
  for (const info of infos) if (info.isTensor) shapes.set(info.name, shapeOf(info));
}

/** Grey for pixels, the first rate. */
function greyTensor({ dims, type }: TensorShape): ort.Tensor {
  const size = dims.reduce((product, dim) => product * dim, 1);
  if (type === 'uint8') return new ort.Tensor('uint8', new Uint8Array(size).fill(114), dims);
  if (type === 'int64') return new ort.Tensor('int64', new BigInt64Array(size), dims);
  return new ort.Tensor('float32', new Float32Array(size).fill(0.5), dims);
}

/** Constants that an optimised model still takes from files beside the original. */
async function externalData(constants: Map<string, OnnxConstant>, folder: string) {
  const locations = new Set([...constants.values()].flatMap(({ location }) => location ?? []));
  return Promise.all([...locations].map(async (path) => ({ path, data: await readFile(join(folder, path)) })));
}

/** One line of ONNX Runtime's trace. */
interface TraceEvent {
  cat: string;
  /** Unique per operator. */
  name: string;
  /** Microseconds. */
  dur: number;
  args: { op_name: string; input_type_shape: TraceShape[]; output_type_shape: TraceShape[] };
}

/** A type and dimensions: {"float": [1, 3, 416, 416]}. */
type TraceShape = Record<string, number[]>;

/** The trace's names of types, where they are others than those of tensors. */
const traceTypes: Record<string, string> = { float: 'float32', double: 'float64' };

function readTrace(json: string): TimedOperator[] {
  const shapes = (list: TraceShape[]): TensorShape[] =>
    list.flatMap((shape) => Object.entries(shape).map(([type, dims]) => ({ type: traceTypes[type] ?? type, dims })));
  const operators = new Map<string, TimedOperator>();
  for (const { cat, name, dur, args } of JSON.parse(json) as TraceEvent[]) {
    if (cat !== 'Node' || !name.endsWith('_kernel_time')) continue;
    const known = operators.get(name);
    if (known) {
      known.times.push(dur / 1000);
      continue;
    }
    // The first time is that of the warm-up.
    const { op_name: type, input_type_shape: inputs, output_type_shape: outputs } = args;
    operators.set(name, { type, inputs: shapes(inputs), outputs: shapes(outputs), times: [] });
  }
  return [...operators.values()];
}
