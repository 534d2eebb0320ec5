"""Partition points and cutting."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from deepcod.cli import main
from deepcod.graph import NotAPartitionPoint, partition_points, split

DARK2 = "/backbone/backbone/dark2/dark2.1/conv3/act/Mul_output_0"
DARK3 = "/backbone/backbone/dark3/dark3.1/conv3/act/Mul_output_0"


def run(model: onnx.ModelProto, x: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})


def test_points_of_yolox_nano(yolox: Path) -> None:
    points = {p.name: p for p in partition_points(yolox)}
    assert points["images"].flops_before == 0
    assert points["images"].block_start
    assert points[DARK2].shape == (1, 32, 104, 104)
    assert points[DARK2].raw_bytes == 4 * 32 * 104 * 104
    assert points[DARK2].block_start
    assert points[DARK3].shape == (1, 64, 52, 52)
    assert points[DARK3].block_start
    assert not points["/backbone/backbone/dark2/dark2.1/conv3/conv/Conv_output_0"].block_start
    totals = {p.flops_before + p.flops_after for p in points.values()}
    assert len(totals) == 1
    assert abs(totals.pop() - 1.045e9) < 1e6


def test_recomposed_equals_the_service(yolox: Path) -> None:
    service = onnx.load(yolox)
    x = np.random.default_rng(0).random((1, 3, 416, 416), dtype=np.float32) * 255
    expected = run(service, x)[0]
    for point in partition_points(service, default_only=True):
        prefix, remainder = split(service, point.name)
        onnx.checker.check_model(prefix)
        onnx.checker.check_model(remainder)
        crossing = run(prefix, x)[0]
        assert crossing.shape == point.shape
        actual = run(remainder, crossing)[0]
        assert np.abs(actual - expected).max() <= 1e-4 * np.abs(expected).max(), point.name
        weights = sum(np.prod(t.dims) for m in (prefix, remainder) for t in m.graph.initializer)
        assert weights == sum(np.prod(t.dims) for t in service.graph.initializer)


def test_lengths_of_the_prefix_become_constants() -> None:
    # the remainder restores the input's own shape, which it reads from the input
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2, 6, 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2, 6, 4])
    flat = numpy_helper.from_array(np.array([0, -1], np.int64), "flat")
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Relu", ["x"], ["a"]),
        helper.make_node("Reshape", ["a", "flat"], ["b"]),
        helper.make_node("Reshape", ["b", "s"], ["y"]),
    ]
    graph = helper.make_graph(nodes, "g", [x], [y], [flat])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    prefix, remainder = split(model, "b")
    data = np.random.default_rng(0).standard_normal((3, 2, 6, 4)).astype(np.float32)
    assert np.array_equal(run(remainder, run(prefix, data)[0])[0], run(model, data)[0])


def test_other_tensors_are_refused(yolox: Path) -> None:
    with pytest.raises(NotAPartitionPoint, match="does not pass it"):
        split(yolox, "/backbone/lateral_conv0/act/Mul_output_0")
    with pytest.raises(NotAPartitionPoint, match="no such tensor"):
        split(yolox, "nothing")


def test_command(yolox: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cut", str(yolox), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [r["block_start"] for r in rows] == [True] * len(rows)
    assert main(["cut", str(yolox), "--all"]) == 0
    assert "32x104x104" in capsys.readouterr().out
    assert main(["cut", "absent.onnx"]) == 2
    assert "absent.onnx" in capsys.readouterr().err
