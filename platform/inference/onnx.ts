import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** One operator of a graph. */
export interface OnnxNode {
  type: string;
  inputs: string[];
  outputs: string[];
}

/** A constant of a graph: its shape, its element type, and the file beside the model that holds it, if one does. */
export interface OnnxConstant {
  dims: number[];
  type: string;
  location?: string;
}

/** What a graph takes; a dimension that may vary is 0. */
export interface OnnxInput {
  name: string;
  type: string;
  dims: number[];
}

/** The few parts of an ONNX file that say what is computed. */
export interface OnnxGraph {
  /** Constants may be among them. */
  inputs: OnnxInput[];
  nodes: OnnxNode[];
  constants: Map<string, OnnxConstant>;
}

/** Field numbers of onnx.proto. */
const MODEL_GRAPH = 7;
const GRAPH = { node: 1, constant: 5, input: 11, output: 12 };
const NODE = { input: 1, output: 2, type: 4 };
const TENSOR = { dims: 1, type: 2, name: 8, external: 13 };

/** TensorProto.DataType, by number, as ONNX Runtime names them. */
const TYPES: Record<number, string> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  10: 'float16',
  11: 'float64',
};

/** Calls a handler for each field of a message; a handler that does not read its field returns false. */
function fields(reader: BinaryReader, handle: (field: number, wire: WireType) => boolean): void {
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (!handle(field, wire)) reader.skip(wire, field);
  }
}

function part(reader: BinaryReader, handle: (inner: BinaryReader, field: number, wire: WireType) => boolean): true {
  const inner = new BinaryReader(reader.bytes());
  fields(inner, (field, wire) => handle(inner, field, wire));
  return true;
}

/**
 * Reads operators and constants of an ONNX file; values of constants are passed over.
 * @throws Error for bytes that are no protobuf message
 */
export function readOnnx(bytes: Uint8Array): OnnxGraph {
  const graph: OnnxGraph = { inputs: [], nodes: [], constants: new Map() };
  const model = new BinaryReader(bytes);
  fields(model, (field) => {
    if (field !== MODEL_GRAPH) return false;
    return part(model, (reader, inner) => {
      if (inner === GRAPH.node) graph.nodes.push(readNode(reader));
      else if (inner === GRAPH.input) graph.inputs.push(readInput(reader));
      else if (inner === GRAPH.constant) graph.constants.set(...readConstant(reader));
      else return false;
      return true;
    });
  });
  return graph;
}

function readNode(graph: BinaryReader): OnnxNode {
  const node: OnnxNode = { type: '', inputs: [], outputs: [] };
  part(graph, (reader, field) => {
    if (field === NODE.input) node.inputs.push(reader.string());
    else if (field === NODE.output) node.outputs.push(reader.string());
    else if (field === NODE.type) node.type = reader.string();
    else return false;
    return true;
  });
  return node;
}

/** A ValueInfoProto: name (1), type (2): tensor (1): element type (1), shape (2): dimensions (1): value (1). */
function readInput(graph: BinaryReader): OnnxInput {
  const input: OnnxInput = { name: '', type: '', dims: [] };
  const dimension = (reader: BinaryReader, field: number): boolean => {
    if (field !== 1) return false;
    let size = 0;
    part(reader, (value, inner) => {
      if (inner !== 1) return false;
      size = Number(value.int64());
      return true;
    });
    input.dims.push(size);
    return true;
  };
  const tensor = (reader: BinaryReader, field: number): boolean => {
    if (field === 1) input.type = TYPES[reader.int32()] ?? '';
    else if (field === 2) return part(reader, dimension);
    else return false;
    return true;
  };
  part(graph, (reader, field) => {
    if (field === 1) input.name = reader.string();
    else if (field === 2) return part(reader, (type, kind) => kind === 1 && part(type, tensor));
    else return false;
    return true;
  });
  return input;
}

function readConstant(graph: BinaryReader): [string, OnnxConstant] {
  let name = '';
  const constant: OnnxConstant = { dims: [], type: 'float32' };
  part(graph, (reader, field, wire) => {
    if (field === TENSOR.name) name = reader.string();
    else if (field === TENSOR.type) constant.type = TYPES[reader.int32()] ?? 'float32';
    else if (field === TENSOR.dims) constant.dims.push(...readDims(reader, wire));
    else if (field === TENSOR.external) constant.location = readLocation(reader) ?? constant.location;
    else return false;
    return true;
  });
  return [name, constant];
}

/** Packed or one by one: writers differ. */
function readDims(reader: BinaryReader, wire: WireType): number[] {
  if (wire !== WireType.LengthDelimited) return [Number(reader.int64())];
  const packed = new BinaryReader(reader.bytes());
  const dims: number[] = [];
  while (packed.pos < packed.len) dims.push(Number(packed.int64()));
  return dims;
}

/** The value of the entry `location`. */
function readLocation(tensor: BinaryReader): string | undefined {
  let key = '';
  let value = '';
  part(tensor, (reader, field) => {
    if (field === 1) key = reader.string();
    else if (field === 2) value = reader.string();
    else return false;
    return true;
  });
  return key === 'location' ? value : undefined;
}

/**
 * The same model with more of its values as outputs. Protobuf merges a message's parts that follow one another, so the
 * names are put behind the file.
 */
export function withOutputs(bytes: Uint8Array, names: readonly string[]): Uint8Array {
  const graph = new BinaryWriter().tag(MODEL_GRAPH, WireType.LengthDelimited).fork();
  for (const name of names) {
    graph.tag(GRAPH.output, WireType.LengthDelimited).fork();
    graph.tag(1, WireType.LengthDelimited).string(name).join();
  }
  return Buffer.concat([bytes, graph.join().finish()]);
}
