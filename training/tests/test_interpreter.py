"""The interpreter against ONNX Runtime."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from deepcod.graph import OnnxModule, UnsupportedOperator


def run(model: onnx.ModelProto | Path, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
    source = model.SerializeToString() if isinstance(model, onnx.ModelProto) else str(model)
    return onnxruntime.InferenceSession(source, providers=["CPUExecutionProvider"]).run(None, feeds)


def close(a: np.ndarray, b: np.ndarray, limit: float = 1e-4) -> None:
    assert a.shape == b.shape
    assert np.abs(a - b).max() <= limit * max(np.abs(b).max(), 1e-6)


def graph(
    nodes: list[onnx.NodeProto],
    shape: list[int | str],
    constants: dict[str, np.ndarray],
    outputs: list[str],
    opset: int,
) -> onnx.ModelProto:
    return helper.make_model(
        helper.make_graph(
            nodes,
            "test",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
            [numpy_helper.from_array(v, k) for k, v in constants.items()],
        ),
        opset_imports=[helper.make_opsetid("", opset)],
        ir_version=8,
    )


def test_yolox_nano_any_batch(yolox: Path) -> None:
    module = OnnxModule(yolox)
    x = np.random.default_rng(0).random((3, 3, 416, 416), dtype=np.float32) * 255
    expected = np.concatenate([run(yolox, {"images": x[i : i + 1]})[0] for i in range(3)])
    with torch.no_grad():
        outputs, captured = module(torch.from_numpy(x), ["images"])
    close(outputs["output"].numpy(), expected)
    assert captured["images"].shape == (3, 3, 416, 416)
    assert not list(module.parameters())
    assert not module.state_dict()


def test_fused_tensors_can_be_captured(yolox: Path) -> None:
    module = OnnxModule(yolox)
    names = [f"/backbone/backbone/stem/conv/{part}_output_0" for part in ("conv/Conv", "act/Sigmoid", "act/Mul")]
    with torch.no_grad():
        _, captured = module(torch.rand(1, 3, 416, 416) * 255, names)
    x, gate, y = captured.values()
    assert torch.equal(gate, x.sigmoid())
    assert torch.allclose(y, x * gate, atol=1e-4)


def test_gradient_reaches_the_input(yolox: Path) -> None:
    module = OnnxModule(yolox)
    x = torch.rand(1, 3, 416, 416, requires_grad=True)
    feature = "/backbone/backbone/dark2/dark2.1/conv3/act/Mul_output_0"
    _, captured = module(x, [feature])
    captured[feature].square().sum().backward()
    assert x.grad is not None
    assert x.grad.abs().sum() > 0


def node(op: str, inputs: str, outputs: str, **attributes: object) -> onnx.NodeProto:
    """Names are separated by blanks; `-` is an omitted input."""
    return helper.make_node(op, ["" if i == "-" else i for i in inputs.split()], outputs.split(), **attributes)


RNG = np.random.default_rng(1)


def weights(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


CASES: dict[str, tuple[list[onnx.NodeProto], dict[str, np.ndarray], int]] = {
    "conv grouped, same padding": (
        [node("Conv", "x w b", "y", group=2, strides=[2, 2], auto_pad="SAME_UPPER")],
        {"w": weights(6, 2, 3, 3), "b": weights(6)},
        13,
    ),
    "conv, uneven pads": ([node("Conv", "x w", "y", pads=[0, 1, 2, 0])], {"w": weights(5, 4, 3, 3)}, 13),
    "transposed conv": (
        [node("ConvTranspose", "x w b", "y", strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1])],
        {"w": weights(4, 3, 3, 3), "b": weights(3)},
        13,
    ),
    "transposed conv, uneven pads": (
        [node("ConvTranspose", "x w", "y", strides=[2, 2], pads=[0, 1, 1, 0])],
        {"w": weights(4, 3, 3, 3)},
        13,
    ),
    "darknet max pool": ([node("MaxPool", "x", "y", kernel_shape=[2, 2], pads=[0, 0, 1, 1])], {}, 13),
    "max pool, same": ([node("MaxPool", "x", "y", kernel_shape=[5, 5], auto_pad="SAME_LOWER", strides=[2, 2])], {}, 13),
    "average pool, uneven": ([node("AveragePool", "x", "y", kernel_shape=[3, 3], pads=[0, 1, 1, 0])], {}, 13),
    "average pool": ([node("AveragePool", "x", "y", kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2])], {}, 13),
    "batch norm": (
        [node("BatchNormalization", "x s b m v", "y", epsilon=1e-3)],
        {"s": weights(4), "b": weights(4), "m": weights(4), "v": np.abs(weights(4)) + 0.1},
        13,
    ),
    "instance norm": ([node("InstanceNormalization", "x s b", "y")], {"s": weights(4), "b": weights(4)}, 13),
    "layer norm": ([node("LayerNormalization", "x s b", "y", axis=-1)], {"s": weights(12), "b": weights(12)}, 17),
    "mish": ([node("Softplus", "x", "p"), node("Tanh", "p", "t"), node("Mul", "x t", "y")], {}, 13),
    "hard swish": ([node("HardSwish", "x", "y")], {}, 14),
    "hard sigmoid": ([node("HardSigmoid", "x", "y", alpha=0.3, beta=0.4)], {}, 13),
    "leaky": ([node("LeakyRelu", "x", "y", alpha=0.1)], {}, 13),
    "relu6, attributes": ([node("Clip", "x", "y", min=0.0, max=6.0)], {}, 6),
    "relu6, inputs": ([node("Clip", "x lo hi", "y")], {"lo": np.float32(0), "hi": np.float32(6)}, 13),
    "softmax before 13": ([node("Softmax", "x", "y", axis=1)], {}, 11),
    "softmax": ([node("Softmax", "x", "y", axis=1)], {}, 13),
    "nearest by 2": (
        [
            node(
                "Resize",
                "x - s",
                "y",
                mode="nearest",
                coordinate_transformation_mode="asymmetric",
                nearest_mode="floor",
            )
        ],
        {"s": np.array([1, 1, 2, 2], np.float32)},
        13,
    ),
    "nearest by 1.5": (
        [node("Resize", "x - s", "y", mode="nearest")],
        {"s": np.array([1, 1, 1.5, 1.5], np.float32)},
        13,
    ),
    "linear by sizes": ([node("Resize", "x - - n", "y", mode="linear")], {"n": ints(2, 4, 17, 25)}, 13),
    "linear, corners": (
        [node("Resize", "x - s", "y", mode="linear", coordinate_transformation_mode="align_corners")],
        {"s": np.array([1, 1, 2, 2], np.float32)},
        13,
    ),
    "pad and slice": (
        [node("Pad", "x p", "a"), node("Slice", "a f t ax st", "y")],
        {"p": ints(0, 0, 1, 2, 0, 0, 2, 1), "f": ints(-1, 1), "t": ints(-99, 9), "ax": ints(3, 2), "st": ints(-1, 2)},
        13,
    ),
    "reflect": ([node("Pad", "x p", "y", mode="reflect")], {"p": ints(0, 0, 1, 2, 0, 0, 2, 1)}, 13),
    "split, concat": (
        [node("Split", "x n", "a b", axis=1), node("Concat", "b a", "y", axis=1)],
        {"n": ints(1, 3)},
        13,
    ),
    "gather, unsqueeze": (
        [node("Gather", "x i", "a", axis=1), node("Unsqueeze", "a e", "y")],
        {"i": ints(-1, 0), "e": ints(1)},
        13,
    ),
    "means": ([node("ReduceMean", "x", "a", axes=[2, 3], keepdims=0), node("Flatten", "a", "y")], {}, 13),
    "head": (
        [
            node("GlobalAveragePool", "x", "a"),
            node("Flatten", "a", "f"),
            node("Gemm", "f w b", "y", transB=1, alpha=0.5),
        ],
        {"w": weights(7, 4), "b": weights(7)},
        13,
    ),
    "arithmetic": (
        [
            node("Sub", "x c", "a"),
            node("Pow", "a two", "q"),
            node("Add", "q c", "r"),
            node("Sqrt", "r", "s"),
            node("Div", "x s", "y"),
        ],
        {"c": np.full((1, 4, 1, 1), 0.5, np.float32), "two": np.float32(2)},
        13,
    ),
    "shape arithmetic": (
        [
            node("Shape", "x", "s"),
            node("Slice", "s zero two", "nc"),
            node("Concat", "nc rest", "t", axis=0),
            node("Reshape", "x t", "a"),
            node("Cast", "s", "f", to=TensorProto.FLOAT),
            node("Gather", "f three", "w"),
            node("Mul", "a w", "y"),
        ],
        {"zero": ints(0), "two": ints(2), "rest": ints(-1), "three": np.int64(3)},
        13,
    ),
    "space to depth and back": (
        [node("SpaceToDepth", "x", "a", blocksize=2), node("DepthToSpace", "a", "y", blocksize=2)],
        {},
        13,
    ),
    "folded constants": (
        [node("Add", "c c", "d"), node("Mul", "x d", "a"), node("Identity", "a", "y")],
        {"c": weights(1, 4, 1, 1)},
        13,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_operator(name: str) -> None:
    nodes, constants, opset = CASES[name]
    model = graph(nodes, ["n", 4, 10, 12], constants, ["y"], opset)
    x = RNG.standard_normal((2, 4, 10, 12)).astype(np.float32)
    outputs, _ = OnnxModule(model)(torch.from_numpy(x))
    close(outputs["y"].numpy(), run(model, {"x": x})[0])


def test_baked_reshape_follows_the_batch() -> None:
    # channel shuffle, then attention's (length, batch * heads, width) layout: the batch is entry 0, then entry 1
    nodes = [
        node("Reshape", "x s1", "a"),
        node("Transpose", "a", "b", perm=[0, 2, 1, 3]),
        node("Reshape", "b s2", "c"),
        node("Transpose", "c", "d", perm=[2, 0, 1]),
        node("Reshape", "d s3", "e"),
        node("Transpose", "e", "f", perm=[1, 0, 2]),
        node("Reshape", "f s4", "y"),
    ]
    constants = {"s1": ints(1, 2, 2, 120), "s2": ints(1, 4, 120), "s3": ints(120, 2, 2), "s4": ints(2, 240)}
    model = graph(nodes, [1, 4, 10, 12], constants, ["y"], 13)
    module = OnnxModule(model)
    assert module.batch_reason is None
    x = RNG.standard_normal((3, 4, 10, 12)).astype(np.float32)
    expected = np.concatenate([run(model, {"x": x[i : i + 1]})[0] for i in range(3)])
    close(module(torch.from_numpy(x))[0]["y"].numpy(), expected)


def test_mixed_batch_is_refused() -> None:
    nodes = [node("Transpose", "x", "a", perm=[1, 0, 2, 3]), node("Reshape", "a s", "y")]
    module = OnnxModule(graph(nodes, [1, 4, 10, 12], {"s": ints(2, 240)}, ["y"], 13))
    assert module(torch.zeros(1, 4, 10, 12))[0]["y"].shape == (2, 240)
    with pytest.raises(ValueError, match="mixes the batch"):
        module(torch.zeros(2, 4, 10, 12))


def test_unknown_operator_is_named() -> None:
    model = graph([helper.make_node("Frobnicate", ["x"], ["y"], name="here")], [1, 4], {}, ["y"], 13)
    with pytest.raises(UnsupportedOperator, match=r"'Frobnicate' \(node 'here'.*ops/"):
        OnnxModule(model)


def test_wrong_input_is_named(yolox: Path) -> None:
    with pytest.raises(ValueError, match=r"input 'images' is \[1, 3, 320, 416\], the graph takes"):
        OnnxModule(yolox)(torch.zeros(1, 3, 320, 416))


def test_autocast_and_channels_last(yolox: Path) -> None:
    module = OnnxModule(yolox).to(memory_format=torch.channels_last)
    x = torch.rand(1, 3, 416, 416) * 255
    name = "/backbone/backbone/dark2/dark2.1/conv3/act/Mul_output_0"
    with torch.no_grad():
        exact = module(x, [name])[1][name]
        with torch.autocast("cpu", torch.bfloat16):
            coarse = module(x.contiguous(memory_format=torch.channels_last), [name])[1][name]
    assert coarse.is_contiguous(memory_format=torch.channels_last)
    assert (exact - coarse).norm() < 0.02 * exact.norm()
