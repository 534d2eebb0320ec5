"""Cut a graph in two at one tensor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from .cut import load
from .dominators import dominating_tensors
from .shapes import tensor_shapes


class NotAPartitionPoint(ValueError):
    """The named tensor does not exist, or does not carry everything that the rest of the graph needs."""


def split(model: onnx.ModelProto | str | Path, tensor_name: str) -> tuple[onnx.ModelProto, onnx.ModelProto]:
    """(prefix, remainder): prefix's only output is the tensor, and it is the remainder's only input.

    At the graph's input the prefix is one Identity. Weights used on one side are stored on that side alone; weights
    and constants that both use are stored twice. Lengths that the remainder takes from the prefix's tensors (by
    Shape) become constants, but for the batch, which is taken from the tensor that crosses.
    """
    model = load(model)
    graph = model.graph
    if tensor_name not in dominating_tensors(model):
        known = {n for node in graph.node for n in node.output} | {i.name for i in graph.input}
        why = "some path to an output does not pass it" if tensor_name in known else "the graph has no such tensor"
        raise NotAPartitionPoint(f"'{tensor_name}' is no partition point: {why}; see `deepcod cut MODEL --all`")
    shapes = tensor_shapes(model)
    before = _ancestors(graph, tensor_name)
    value = _tensor_info(graph, tensor_name, shapes)
    crossing = helper.make_tensor_value_info(tensor_name, value.type.tensor_type.elem_type, _lengths(value))

    prefix_nodes = [node for i, node in enumerate(graph.node) if i in before]
    if tensor_name in {i.name for i in graph.input}:
        name = f"{tensor_name}_crossing"
        prefix_nodes = [helper.make_node("Identity", [tensor_name], [name], name="crossing")]
        sent = helper.make_tensor_value_info(name, value.type.tensor_type.elem_type, _lengths(value))
    else:
        sent = crossing
    prefix = _model(model, prefix_nodes, list(graph.input), [sent])

    rest = _without_prefix_shapes(graph, before, tensor_name, shapes)
    needed = _needed(rest, [o.name for o in graph.output])
    remainder = _model(model, [node for i, node in enumerate(rest) if i in needed], [crossing], list(graph.output))
    return prefix, remainder


def _ancestors(graph: onnx.GraphProto, name: str) -> set[int]:
    producer = {n: i for i, node in enumerate(graph.node) for n in node.output}
    found: set[int] = set()
    stack = [name]
    while stack:
        index = producer.get(stack.pop())
        if index is not None and index not in found:
            found.add(index)
            stack.extend(graph.node[index].input)
    return found


def _needed(nodes: list[onnx.NodeProto], outputs: list[str]) -> set[int]:
    producer = {n: i for i, node in enumerate(nodes) for n in node.output}
    found: set[int] = set()
    stack = list(outputs)
    while stack:
        index = producer.get(stack.pop())
        if index is not None and index not in found:
            found.add(index)
            stack.extend(nodes[index].input)
    return found


def _without_prefix_shapes(
    graph: onnx.GraphProto, before: set[int], tensor_name: str, shapes: dict[str, tuple[int, ...]]
) -> list[onnx.NodeProto]:
    """All nodes, with Shape of a tensor of the prefix rewritten; constants of the prefix stay available."""
    inside = {n for i in before for n in graph.node[i].output} | {i.name for i in graph.input}
    inside.discard(tensor_name)
    nodes: list[onnx.NodeProto] = []
    for index, node in enumerate(graph.node):
        if index in before and node.op_type != "Constant":
            continue
        if node.op_type == "Shape" and node.input[0] in inside and not node.attribute:
            nodes += _known_shape(node, shapes[node.input[0]], tensor_name)
        else:
            nodes.append(node)
    return nodes


def _known_shape(node: onnx.NodeProto, shape: tuple[int, ...], crossing: str) -> list[onnx.NodeProto]:
    """[batch of the crossing tensor, known lengths...]."""
    out = node.output[0]
    rest = numpy_helper.from_array(np.array(shape[1:], np.int64))
    zero = numpy_helper.from_array(np.array([0], np.int64))
    return [
        helper.make_node("Shape", [crossing], [f"{out}_all"]),
        helper.make_node("Constant", [], [f"{out}_zero"], value=zero),
        helper.make_node("Gather", [f"{out}_all", f"{out}_zero"], [f"{out}_batch"]),
        helper.make_node("Constant", [], [f"{out}_rest"], value=rest),
        helper.make_node("Concat", [f"{out}_batch", f"{out}_rest"], [out], axis=0),
    ]


def _tensor_info(graph: onnx.GraphProto, name: str, shapes: dict[str, tuple[int, ...]]) -> onnx.ValueInfoProto:
    """Type of a tensor: as the graph states it, else float32 with the batch as the graph's input has it."""
    for info in [*graph.input, *graph.value_info, *graph.output]:
        if info.name == name:
            return info
    batch = graph.input[0].type.tensor_type.shape.dim[0]
    first = batch.dim_param or (batch.dim_value or "batch")
    return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [first, *shapes[name][1:]])


def _lengths(info: onnx.ValueInfoProto) -> list[int | str | None]:
    return [d.dim_param or d.dim_value or None for d in info.type.tensor_type.shape.dim]


def _model(
    source: onnx.ModelProto,
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
) -> onnx.ModelProto:
    used = {name for node in nodes for name in node.input} | {o.name for o in outputs}
    weights = [t for t in source.graph.initializer if t.name in used]
    inputs = [i for i in inputs if i.name not in {t.name for t in weights}]
    graph = helper.make_graph(nodes, source.graph.name or "graph", inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=source.opset_import, ir_version=source.ir_version)
    model.metadata_props.extend(source.metadata_props)
    return model
