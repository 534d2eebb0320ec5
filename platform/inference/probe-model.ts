import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

const CHANNELS = 16;
const SIDE = 64;
/** Convolutions, one behind the other. */
const LAYERS = 8;
const WEIGHT = 0.01;

export interface ProbeModel {
  /** An ONNX file. */
  model: Uint8Array;
  input: string;
  output: string;
  /** Numbers of the input, [1, 16, 64, 64]. */
  size: number;
  /** In the middle of the output, for an input of ones. */
  expected: number;
}

/** A stack of convolutions of equal weights, as an ONNX file: small, and enough work to tell a device from an imitation. */
export function probeModel(): ProbeModel {
  const graph = new BinaryWriter();
  for (let layer = 0; layer < LAYERS; layer++) {
    const node = graph.tag(1, WireType.LengthDelimited).fork();
    text(node, 1, `x${layer}`);
    text(node, 1, 'w');
    text(node, 2, `x${layer + 1}`);
    text(node, 4, 'Conv');
    const pads = node.tag(5, WireType.LengthDelimited).fork();
    text(pads, 1, 'pads');
    for (let i = 0; i < 4; i++) pads.tag(8, WireType.Varint).int64(1);
    pads.tag(20, WireType.Varint).int32(7).join();
    node.join();
  }
  text(graph, 2, 'probe');
  const weights = graph.tag(5, WireType.LengthDelimited).fork();
  for (const dim of [CHANNELS, CHANNELS, 3, 3]) weights.tag(1, WireType.Varint).int64(dim);
  weights.tag(2, WireType.Varint).int32(1);
  text(weights, 8, 'w');
  const values = new Float32Array(CHANNELS * CHANNELS * 9).fill(WEIGHT);
  weights.tag(9, WireType.LengthDelimited).bytes(new Uint8Array(values.buffer)).join();
  picture(graph.tag(11, WireType.LengthDelimited).fork(), 'x0');
  picture(graph.tag(12, WireType.LengthDelimited).fork(), `x${LAYERS}`);

  const model = new BinaryWriter();
  model.tag(1, WireType.Varint).int64(8);
  model.tag(8, WireType.LengthDelimited).fork().tag(2, WireType.Varint).int64(13).join();
  model.tag(7, WireType.LengthDelimited).bytes(graph.finish());
  return {
    model: model.finish(),
    input: 'x0',
    output: `x${LAYERS}`,
    size: CHANNELS * SIDE * SIDE,
    expected: (CHANNELS * 9 * WEIGHT) ** LAYERS,
  };
}

const text = (message: BinaryWriter, field: number, value: string): BinaryWriter =>
  message.tag(field, WireType.LengthDelimited).string(value);

/** A ValueInfo of float32 [1, 16, 64, 64]; ends the message. */
function picture(info: BinaryWriter, name: string): void {
  text(info, 1, name);
  const tensor = info.tag(2, WireType.LengthDelimited).fork().tag(1, WireType.LengthDelimited).fork();
  tensor.tag(1, WireType.Varint).int32(1);
  const shape = tensor.tag(2, WireType.LengthDelimited).fork();
  for (const dim of [1, CHANNELS, SIDE, SIDE]) {
    shape.tag(1, WireType.LengthDelimited).fork().tag(1, WireType.Varint).int64(dim).join();
  }
  shape.join();
  tensor.join().join().join();
}
