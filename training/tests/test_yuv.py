"""Heads that read planes: what those that read RGB compute, of colours that are neither rounded nor clamped."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from small import CONFIGS, SIZE, calibrated

from deepcod.codec.codec import save
from deepcod.codec.data import Pictures
from deepcod.errors import DeepcodError
from deepcod.export.bundle import Sources, build
from deepcod.export.int8 import quantise_heads
from deepcod.export.yuv import RGB_OF_YUV, add_yuv_heads, yuv_head

HEIGHT, WIDTH = 20, 28
#: Subtracted and divided by in the head of `_head`, by channel.
MEAN, DEVIATION = np.array([100.0, 110, 120], np.float32), np.array([50.0, 60, 70], np.float32)


def _head(kernel: int, stride: int, pad: int, *, half: bool = False) -> onnx.ModelProto:
    """uint8 RGB, as BGR, normalised; one convolution and a rectifier."""
    rng = np.random.default_rng(kernel * 100 + stride * 10 + pad)
    weight = rng.standard_normal((5, 3, kernel, kernel)).astype(np.float16 if half else np.float32)
    constants = {
        "order": np.array([2, 1, 0], np.int64),
        "scale": np.array([1.5], np.float32),
        "mean": MEAN[None, :, None, None],
        "deviation": DEVIATION[None, :, None, None],
        "weight/half" if half else "weight": weight,
        "bias": rng.standard_normal(5).astype(np.float32),
    }
    nodes = [helper.make_node("Cast", ["weight/half"], ["weight"], to=TensorProto.FLOAT)] if half else []
    nodes += [
        helper.make_node("Transpose", ["picture"], ["planar"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["planar"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Gather", ["float", "order"], ["bgr"], axis=1),
        helper.make_node("Mul", ["bgr", "scale"], ["scaled"]),
        helper.make_node("Sub", ["scaled", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "deviation"], ["normal"]),
        helper.make_node(
            "Conv", ["normal", "weight", "bias"], ["y"], kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4
        ),
        helper.make_node("Relu", ["y"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes,
        "head",
        [helper.make_tensor_value_info("picture", TensorProto.UINT8, [1, HEIGHT, WIDTH, 3])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 5, "h", "w"])],
        [numpy_helper.from_array(v, k) for k, v in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8)


def _planes() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (1, HEIGHT * 3 // 2, WIDTH), dtype=np.uint8)


def _wanted(head: onnx.ModelProto, planes: np.ndarray, stride: int, pad: int) -> np.ndarray:
    """By the definition: every colour converted, nothing rounded, then the convolution."""
    values = planes.reshape(-1).astype(np.float64)
    luma = values[: HEIGHT * WIDTH].reshape(HEIGHT, WIDTH)
    chroma = values[HEIGHT * WIDTH :].reshape(2, HEIGHT // 2, WIDTH // 2).repeat(2, 1).repeat(2, 2) - 128
    rgb = np.einsum("ij,jyx->iyx", RGB_OF_YUV, np.stack([luma, *chroma]))
    normal = (rgb[::-1] * 1.5 - MEAN[:, None, None]) / DEVIATION[:, None, None]
    tensors = {t.name.split("/")[0]: numpy_helper.to_array(t).astype(np.float64) for t in head.graph.initializer}
    weight, bias = torch.tensor(tensors["weight"]), torch.tensor(tensors["bias"])
    y = torch.nn.functional.conv2d(torch.tensor(normal.copy())[None], weight, bias, stride, pad)
    return y.relu().numpy()


@pytest.mark.parametrize(
    ("kernel", "stride", "pad"),
    [(8, 8, 0), (4, 4, 0), (3, 2, 1), (6, 2, 2), (7, 2, 3), (5, 4, 1), (3, 1, 1), (1, 1, 0), (2, 2, 0), (4, 6, 3)],
)
def test_the_convolution_of_planes_is_that_of_their_rgb(kernel, stride, pad, tmp_path):
    head = _head(kernel, stride, pad, half=kernel == 3)
    made = yuv_head(head, tmp_path)
    onnx.checker.check_model(made, full_check=True)
    planes = _planes()
    (found,) = onnxruntime.InferenceSession(made.SerializeToString()).run(None, {"picture": planes})
    wanted = _wanted(head, planes, stride, pad)
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() < 1e-5 * np.abs(wanted).max()


def test_what_is_not_linear_is_refused(tmp_path):
    odd = _head(3, 2, 1)
    odd.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 21
    with pytest.raises(NotImplementedError, match="28x21"):
        yuv_head(odd, tmp_path)
    curved = _head(3, 2, 1)
    curved.graph.node[4].op_type = "Pow"
    with pytest.raises(NotImplementedError, match="Pow stands before"):
        yuv_head(curved, tmp_path)
    several = _head(3, 2, 1)
    several.graph.node.append(helper.make_node("Relu", ["normal"], ["too"]))
    with pytest.raises(NotImplementedError, match="normal goes several ways"):
        yuv_head(several, tmp_path)


def test_a_bundle_gets_heads_that_read_planes_beside_the_others(service, packed, tmp_path):
    pictures = Pictures([packed], torch.device("cpu"), pad=114)
    for name in ("context-input", "context-stage1"):
        save(calibrated(CONFIGS[name], service, pictures), tmp_path / f"{name}.pt")
    plain, made = tmp_path / "plain", tmp_path / "made"
    before = build(Sources(service, sorted(tmp_path.glob("*.pt")), pictures), plain)
    manifest = add_yuv_heads(plain, None, made)
    for file, facts in manifest["files"].items():
        assert hashlib.sha256((made / file).read_bytes()).hexdigest() == facts["sha256"]
    assert manifest == json.loads((made / "manifest.json").read_text())
    assert before["files"].items() <= manifest["files"].items(), "what was there stays"
    new = {"input.head.yuv.onnx", "stage1.head.yuv.onnx", "service.yuv.onnx"}
    assert set(manifest["files"]) - set(before["files"]) == new
    assert {p["head_yuv"] for p in manifest["partitions"]} | {manifest["service"]["model_yuv"]} == new

    # grey is the same either way
    grey = np.random.default_rng(3).integers(0, 256, (SIZE, SIZE), dtype=np.uint8)
    feeds = [
        grey[None, :, :, None].repeat(3, 3),
        np.concatenate([grey, np.full((SIZE // 2, SIZE), 128, np.uint8)])[None],
    ]
    for files in [(p["head"], p["head_yuv"]) for p in manifest["partitions"]] + [("service.onnx", "service.yuv.onnx")]:
        results = []
        for file, feed in zip(files, feeds, strict=True):
            session = onnxruntime.InferenceSession(str(made / file))
            rate = {"rate": np.array([0], np.int64)} if len(session.get_inputs()) > 1 else {}
            results.append(session.run(None, {"picture": feed, **rate})[0].astype(float))
        assert np.abs(results[0] - results[1]).max() < 1e-3

    # a head of integers has none beside it that computes with floats
    integers = quantise_heads(made, ["stage1"], [packed], tmp_path / "int8")
    assert [("head_yuv" in p) for p in integers["partitions"]] == [p["id"] == "input" for p in integers["partitions"]]
    assert new - set(integers["files"]) == {"stage1.head.yuv.onnx"}
    with pytest.raises(DeepcodError, match=r"stage1\.head\.onnx: QuantizeLinear"):
        add_yuv_heads(tmp_path / "int8", ["stage1"], made)

    again = add_yuv_heads(plain, ["stage1"], made)
    assert [("head_yuv" in p) for p in again["partitions"]] == [p["id"] == "stage1" for p in again["partitions"]]
    with pytest.raises(DeepcodError, match="has input, stage1, device"):
        add_yuv_heads(plain, ["stage7"], made)
