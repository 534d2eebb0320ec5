"""Partition points: where a service can be cut so that one tensor crosses the link."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import onnx

from .dominators import dominating_tensors
from .flops import node_flops
from .shapes import tensor_shapes

#: Operators that finish a layer: a tensor that goes into one of these is not yet a layer's output.
_FINISHING = frozenset(
    [
        "BatchNormalization",
        "Clip",
        "Elu",
        "Gelu",
        "HardSigmoid",
        "HardSwish",
        "LeakyRelu",
        "Mish",
        "PRelu",
        "Relu",
        "Selu",
        "Sigmoid",
        "Softplus",
        "Tanh",
    ]
)
#: Operators that open a block when two or more paths leave a tensor.
_LAYERS = frozenset(["Conv", "ConvTranspose", "Gemm", "MatMul", "MaxPool", "AveragePool", "Slice", "Split"])
_POOLS = frozenset(["MaxPool", "AveragePool"])


@dataclass(frozen=True)
class Point:
    """One partition point.

    Attributes:
        name: ONNX tensor that crosses.
        shape: its shape at batch 1.
        raw_bytes: size as float32.
        flops_before, flops_after: of the prefix and of the remainder (2 x multiply-accumulates).
        block_start: whether a block of the network starts here: nothing of the last layer is left to do, and the next
            layer halves the resolution or several paths open (a residual or split block).
    """

    name: str
    shape: tuple[int, ...]
    raw_bytes: int
    flops_before: int
    flops_after: int
    block_start: bool

    def as_dict(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        return {**asdict(self), "shape": list(self.shape)}


def load(model: onnx.ModelProto | str | Path) -> onnx.ModelProto:
    """A model, from a file or as it is."""
    return model if isinstance(model, onnx.ModelProto) else onnx.load(str(model))


def partition_points(model: onnx.ModelProto | str | Path, default_only: bool = False) -> list[Point]:
    """All single-tensor cut points, in the graph's order; with `default_only` the input and the starts of blocks."""
    model = load(model)
    graph = model.graph
    shapes = tensor_shapes(model)
    flops = [node_flops(node, shapes) for node in graph.node]
    total = sum(flops)
    outputs = {o.name for o in graph.output}
    names = [name for name in dominating_tensors(model) if name not in outputs]
    before = _flops_before(graph, flops, names)
    inputs = {i.name for i in graph.input}
    consumers: dict[str, list[onnx.NodeProto]] = {}
    producers: dict[str, onnx.NodeProto] = {}
    for node in graph.node:
        for name in set(node.input):
            consumers.setdefault(name, []).append(node)
        producers.update(dict.fromkeys(node.output, node))
    constants = {t.name for t in graph.initializer}
    constants.update(node.output[0] for node in graph.node if node.op_type == "Constant")
    points = []
    for name in names:
        start = name in inputs or _starts_block(consumers.get(name, []), producers.get(name), constants)
        shape = shapes[name]
        points.append(Point(name, shape, 4 * math.prod(shape), before[name], total - before[name], start))
    return [p for p in points if p.block_start] if default_only else points


def _flops_before(graph: onnx.GraphProto, flops: list[int], names: Iterable[str]) -> dict[str, int]:
    """FLOPs of everything that each dominating tensor depends on; they are nested, so one walk each is enough."""
    producer = {name: index for index, node in enumerate(graph.node) for name in node.output}
    seen: set[int] = set()
    total, result = 0, {}
    for name in names:
        stack = [name]
        while stack:
            index = producer.get(stack.pop())
            if index is not None and index not in seen:
                seen.add(index)
                total += flops[index]
                stack.extend(graph.node[index].input)
        result[name] = total
    return result


def is_block_start(graph: onnx.GraphProto, name: str, constants: set[str]) -> bool:
    """Whether a block starts at a tensor, wherever in the graph it lies; see Point.block_start."""
    after = [node for node in graph.node if name in node.input]
    before = next((node for node in graph.node if name in node.output), None)
    return _starts_block(after, before, constants)


def _starts_block(after: list[onnx.NodeProto], before: onnx.NodeProto | None, constants: set[str]) -> bool:
    after = [node for node in after if node.op_type not in ("Shape", "Size")]
    if any(node.op_type in _FINISHING or _is_affine(node, constants) for node in after):
        return False
    if len(after) > 1 and any(node.op_type in _LAYERS for node in after):
        return True
    if any(node.op_type == "Conv" and _stride(node) > 1 for node in after):
        return True
    return before is not None and before.op_type in _POOLS and _stride(before) > 1


def _is_affine(node: onnx.NodeProto, constants: set[str]) -> bool:
    return node.op_type in ("Add", "Mul", "Sub", "Div") and any(name in constants for name in node.input)


def _stride(node: onnx.NodeProto) -> int:
    return max(next((list(a.ints) for a in node.attribute if a.name == "strides"), [1]))
