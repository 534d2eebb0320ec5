import type { Operator, TensorShape } from '../../../platform/inference/inspect.js';

/** An operator's work. */
export interface Operation {
  /** Kind: the operator, and for convolutions which sort, since these reach different shares of a processor's speed. */
  kind: string;
  /** Kinds that are alike, for those of which too few were measured. */
  family: 'compute' | 'elementwise' | 'copy' | 'view';
  /** Multiplications and additions; 0 where moving data is the work. */
  flops: number;
  /** Bytes read and written; 0 where nothing is moved. */
  bytes: number;
}

const BYTES: Record<string, number> = { float16: 2, float32: 4, int32: 4, uint32: 4, float64: 8, int64: 8, uint64: 8 };

/** Below so many input channels a convolution cannot fill the processor's vectors. */
const THIN = 8;

const compute = new Set(['Conv', 'FusedConv', 'ConvTranspose', 'MatMul', 'FusedMatMul', 'Gemm', 'FusedGemm']);
const views = new Set(['Reshape', 'Shape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Identity']);
/** These read no more than they write, however large their input is. */
const selections = new Set(['Gather', 'Slice']);
const copies = new Set([
  ...['Concat', 'Transpose', 'Resize', 'Upsample', 'Split', 'Pad', 'ReorderInput', 'ReorderOutput', 'Expand'],
  ...['MaxPool', 'AveragePool', 'GlobalAveragePool', ...selections],
]);

const count = ({ dims }: TensorShape): number => dims.reduce((product, size) => product * size, 1);
const size = (shape: TensorShape): number => count(shape) * (BYTES[shape.type] ?? 1);
const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);

/** What an operator's time depends on. */
export function operationOf({ type, inputs, outputs }: Operator): Operation {
  const written = sum(outputs.map(size));
  if (views.has(type)) return { kind: type, family: 'view', flops: 0, bytes: 0 };
  if (selections.has(type)) return { kind: type, family: 'copy', flops: 0, bytes: 2 * written };
  const bytes = sum(inputs.map(size)) + written;
  if (copies.has(type)) return { kind: type, family: 'copy', flops: 0, bytes };
  if (!compute.has(type)) return { kind: type, family: 'elementwise', flops: 0, bytes };
  return { kind: sort(type, inputs), family: 'compute', flops: flops(type, inputs, outputs[0]), bytes };
}

/** Convolutions by what their speed depends on besides FLOPs. */
function sort(type: string, [x, weights]: TensorShape[]): string {
  if (!type.endsWith('Conv')) return type;
  const [, channels, ...kernel] = weights.dims;
  if (channels === 1 && x.dims[1] > 1) return `${type} depthwise`;
  if (x.dims[1] < THIN) return `${type} thin`;
  return kernel.every((side) => side === 1) ? `${type} pointwise` : type;
}

function flops(type: string, [x, weights]: TensorShape[], y: TensorShape): number {
  if (type === 'ConvTranspose') return 2 * count(x) * (count(weights) / weights.dims[0]);
  if (type.endsWith('Conv')) return 2 * count(y) * (count(weights) / weights.dims[0]);
  // Matrix products: each result sums over what the first factor has more than the result has rows.
  if (type.endsWith('Gemm')) return 2 * count(y) * (count(x) / y.dims[0]);
  return 2 * count(y) * (x.dims.at(-1) ?? 1);
}
