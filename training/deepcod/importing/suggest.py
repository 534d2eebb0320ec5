"""Partition points and features to distil, suggested for a service that nobody has described yet."""

from __future__ import annotations

import onnx

from ..graph.cut import Point, is_block_start, partition_points
from ..graph.shapes import tensor_shapes

_MOVES = ("Slice", "Split", "Concat", "Resize", "Upsample")
_PRODUCTS = ("Conv", "Gemm", "MatMul")


def suggest_partitions(model: onnx.ModelProto) -> dict[str, str]:
    """{id: tensor}: `input`, then `stage1`, `stage2`, ...: the smallest block start of each lower resolution.

    Of several equally small ones the last is taken: it has most of the network behind it.
    """
    points = partition_points(model, default_only=True)
    if not points:
        return {}
    chosen = {"input": points[0].name}
    best: dict[tuple[int, ...], Point] = {}
    for point in points[1:]:
        size = point.shape[2:]
        if size != points[0].shape[2:] and (size not in best or point.raw_bytes <= best[size].raw_bytes):
            best[size] = point
    chosen.update((f"stage{i}", point.name) for i, point in enumerate(best.values(), 1))
    return chosen


def suggest_features(model: onnx.ModelProto) -> list[str]:
    """Tensors to match in distillation (Eq. 11): the end of each run of equal blocks, the inputs of the last layers.

    Block starts are found anywhere in the graph, not only where a single tensor crosses; of neighbours with the same
    shape the last is kept.
    """
    graph = model.graph
    shapes = tensor_shapes(model)
    constants = {t.name for t in graph.initializer}
    constants |= {node.output[0] for node in graph.node if node.op_type == "Constant"}
    starts = [
        name
        for node in graph.node
        for name in node.output
        if node.op_type not in _MOVES and len(shapes.get(name, ())) == 4 and is_block_start(graph, name, constants)
    ]
    kept = [
        n for n, after in zip(starts, [*starts[1:], None], strict=True) if after is None or shapes[n] != shapes[after]
    ]
    heads = _last_layer_inputs(graph)
    order = {name: i for i, name in enumerate(n for node in graph.node for n in node.output)}
    return sorted({*kept, *heads} - constants, key=lambda name: order.get(name, -1))


def _last_layer_inputs(graph: onnx.GraphProto) -> set[str]:
    """Inputs of the convolutions after which no other convolution comes."""
    producer = {name: node for node in graph.node for name in node.output}
    found: set[str] = set()
    seen: set[str] = set()
    stack = [o.name for o in graph.output]
    while stack:
        name = stack.pop()
        if name in seen or name not in producer:
            continue
        seen.add(name)
        node = producer[name]
        if node.op_type in _PRODUCTS:
            found.add(node.input[0])
        else:
            stack.extend(node.input)
    return {name for name in found if name in producer}
